"""app.py as the CDK's command line runs it: a process of its own, without credentials."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_app(app: Path, output: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return subprocess.run(
        [sys.executable, str(app)],
        cwd=output,
        env=environment
        | {
            "PYTHONPATH": str(ROOT),
            "CDK_OUTDIR": str(output),
            "CDK_CONTEXT_JSON": json.dumps(json.loads((ROOT / "cdk.json").read_text())["context"]),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_app_writes_the_template_and_the_asset_without_credentials(tmp_path: Path) -> None:
    done = run_app(ROOT / "app.py", tmp_path)
    assert done.returncode == 0, done.stderr
    template = json.loads((tmp_path / "agent-bridge.template.json").read_text())
    assert "SlackRequestUrl" in template["Outputs"]
    keys = {
        resource["Properties"]["Code"]["S3Key"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }
    (asset,) = tmp_path.glob("asset.*")
    assert keys == {f"{asset.name.removeprefix('asset.')}.zip"}
    assert (asset / "functions" / "__init__.py").exists()
    assert (asset / "boto3").is_dir()


def test_app_says_what_is_wrong_with_bridge_toml_and_no_more(tmp_path: Path) -> None:
    shutil.copy(ROOT / "app.py", tmp_path)
    settings = (ROOT / "bridge.toml").read_text().replace("timeout_seconds = 300", "timeout_seconds = 5")
    (tmp_path / "bridge.toml").write_text(settings)
    done = run_app(tmp_path / "app.py", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "bridge.toml: worker.timeout_seconds is 5; allowed: a whole number from 60 to 900"
    )
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.template.json"))
