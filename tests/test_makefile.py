"""What the Makefile would run on a fresh clone."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def commands(target: str, *options: str) -> list[str]:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    command = ["make", "--dry-run", "--always-make", "--no-print-directory", target, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("target", "last"),
    [
        ("synth", "npx --no-install cdk synth --quiet"),
        ("bootstrap", "npx --no-install cdk bootstrap"),
        # Without --force a sample agent that was made anew would be unknown to the bridge.
        ("deploy", "npx --no-install cdk deploy --all --force"),
    ],
)
def test_the_cdk_runs_after_everything_that_it_needs_is_there(target: str, last: str) -> None:
    *before, found = commands(target)
    assert found == last
    assert any("uv pip install" in line and "requirements/dev.txt" in line for line in before)
    assert any(line.startswith("npm ci") for line in before)


def test_the_account_is_asked_for_room_before_anything_is_deployed() -> None:
    assert commands("deploy")[-2] == ".venv/bin/python -m infra.account"


def test_only_a_clear_yes_deploys_without_asking() -> None:
    assert commands("deploy", "YES=1")[-1].endswith(" deploy --all --force --require-approval never")
    for answer in ("YES=", "YES=0", "YES=no"):
        assert commands("deploy", answer)[-1].endswith(" deploy --all --force")


@pytest.mark.parametrize("options", [[], ["STYLE=stream"], ["AGENT=harness", "ASK=why?"]])
def test_the_demo_is_ended_with_make_as_no_shell_is_between_them(options: list[str]) -> None:
    assert commands("demo", *options)[-1].startswith("exec .venv/bin/python -m simulator")


def test_the_readme_names_targets_that_there_are() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {*re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text())} <= {*targets}
