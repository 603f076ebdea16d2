import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.code_asset import BundlingError, LocalBundling, asset_hash, bundle

ROOT = Path(__file__).parents[2]
AARCH64 = 183  # e_machine in an ELF header: EM_AARCH64


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real asset: installs what functions/requirements.txt says."""
    target = tmp_path_factory.mktemp("asset")
    bundle(target)
    return target


def test_the_asset_holds_every_source_of_the_functions(asset: Path) -> None:
    sources = {path.relative_to(ROOT) for path in (ROOT / "functions").rglob("*.py")}
    assert sources
    assert sources == {path.relative_to(asset) for path in (asset / "functions").rglob("*.py")}


def test_the_asset_holds_nothing_that_does_not_run_in_lambda(asset: Path) -> None:
    top_level = {path.name for path in asset.iterdir()}
    assert not top_level & {"bin", "tests", "simulator", "infra", "bench", "ops", ".lock"}
    assert all(".cpython-313." in path.name for path in asset.rglob("*.pyc"))


def test_the_asset_holds_bytecode_where_lambdas_python_is_at_hand(asset: Path) -> None:
    python = os.environ.get("PYTHON_OF_LAMBDA") or "python3.13"
    found = shutil.which(python) and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0
    compiled = asset / "functions" / "__pycache__" / "worker.cpython-313.pyc"
    assert compiled.exists() == bool(found)


def test_the_asset_needs_no_package_from_elsewhere(asset: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(asset)!r}); "
        "import functions.receiver, functions.worker, functions.dead_letters; "
        "import boto3; boto3.client('bedrock-agent-runtime', region_name='us-east-1'); "
        "print(*(sys.modules[name].__file__ for name in ('functions.worker', 'boto3', 'slack_sdk')))"
    )
    # -I -S: neither this environment's packages nor the current directory.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program], capture_output=True, text=True, check=True
    )
    assert all(path.startswith(str(asset)) for path in done.stdout.split())


def test_compiled_modules_are_for_arm64(asset: Path) -> None:
    for library in asset.rglob("*.so"):
        assert int.from_bytes(library.read_bytes()[18:20], "little") == AARCH64, library


def test_the_asset_is_well_below_lambdas_limit(asset: Path) -> None:
    # 250 MB unzipped: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    assert sum(path.stat().st_size for path in asset.rglob("*") if path.is_file()) < 100_000_000


def test_a_failed_installation_names_the_command_and_the_remedy(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("six==1.17.0\n")  # without its hash
    with pytest.raises(BundlingError) as raised:
        bundle(tmp_path / "asset", requirements=requirements)
    message = str(raised.value)
    assert "uv pip install" in message
    assert "six==1.17.0" in message
    assert "compile requirements.txt anew" in message


def test_a_missing_uv_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(BundlingError, match=r"uv is missing, .*: install requirements/dev.txt into"):
        bundle(tmp_path / "asset", uv=tmp_path / "uv")


def test_cdk_is_stopped_before_it_tries_docker(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="uv is missing"):
        LocalBundling(uv=tmp_path / "uv").try_bundle(str(tmp_path / "asset"))


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "functions"
    (folder / "bridge").mkdir(parents=True)
    (folder / "receiver.py").write_text("x = 1\n")
    (folder / "bridge" / "turn.py").write_text("y = 2\n")
    (folder / "requirements.txt").write_text("boto3==1\n")
    return folder


def test_the_hash_is_the_same_for_the_same_sources(sources: Path) -> None:
    before = asset_hash(sources)
    (sources / "__pycache__").mkdir()
    (sources / "__pycache__" / "receiver.cpython-313.pyc").write_bytes(b"\0")
    (sources / ".DS_Store").write_bytes(b"\0")
    os.utime(sources / "receiver.py", (0, 0))
    assert asset_hash(sources) == before


@pytest.mark.parametrize("path", ["receiver.py", "bridge/turn.py", "requirements.txt"])
def test_the_hash_changes_with_a_source_and_with_the_requirements(sources: Path, path: str) -> None:
    before = asset_hash(sources)
    (sources / path).write_text("changed\n")
    assert asset_hash(sources) != before


def test_the_hash_changes_when_a_source_moves(sources: Path) -> None:
    before = asset_hash(sources)
    (sources / "bridge" / "turn.py").rename(sources / "turn.py")
    assert asset_hash(sources) != before
