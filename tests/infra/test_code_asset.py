import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.code_asset import BundlingError, LocalBundling, asset_hash, bundle

ROOT = Path(__file__).parents[2]
AARCH64 = 183  # e_machine in an ELF header: EM_AARCH64


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real asset: installs what functions/requirements.txt says, for somebody with a strict umask."""
    target = tmp_path_factory.mktemp("asset")
    before = os.umask(0o077)
    try:
        bundle(target)
    finally:
        os.umask(before)
    return target


def python_version(command: str) -> str | None:
    """Such as "3.13"; None if it does not run."""
    program = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([command, "-c", program], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


@pytest.fixture
def lambdas_python() -> str:
    python = os.environ.get("PYTHON_OF_LAMBDA") or "python3.13"
    if python_version(python) != "3.13":
        pytest.skip("there is no Python 3.13")
    return python


@pytest.fixture
def other_python() -> str:
    """One that writes bytecode which Lambda's Python does not read."""
    if python_version(sys.executable) == "3.13":
        pytest.skip("the tests themselves run under Python 3.13")
    return sys.executable


def test_the_asset_holds_every_source_of_the_functions(asset: Path) -> None:
    sources = {path.relative_to(ROOT) for path in (ROOT / "functions").rglob("*.py")}
    assert sources
    assert sources == {path.relative_to(asset) for path in (asset / "functions").rglob("*.py")}


def test_the_asset_holds_nothing_that_does_not_run_in_lambda(asset: Path) -> None:
    top_level = {path.name for path in asset.iterdir()}
    assert not top_level & {"bin", "tests", "sample", "simulator", "infra", "bench", "ops", ".lock"}
    assert all(".cpython-313." in path.name for path in asset.rglob("*.pyc"))


def test_the_asset_holds_bytecode_where_lambdas_python_is_at_hand(asset: Path) -> None:
    found = python_version(os.environ.get("PYTHON_OF_LAMBDA") or "python3.13") == "3.13"
    compiled = asset / "functions" / "__pycache__" / "worker.cpython-313.pyc"
    assert compiled.exists() == found


def test_another_python_compiles_nothing_and_the_remedy_is_named(
    tmp_path: Path, other_python: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHON_OF_LAMBDA", other_python)
    (tmp_path / "requirements.txt").touch()
    bundle(tmp_path / "asset", requirements=tmp_path / "requirements.txt")
    assert (tmp_path / "asset" / "functions" / "worker.py").exists()
    assert not list((tmp_path / "asset").rglob("*.pyc"))
    problem = f"{other_python} is python{python_version(other_python)}, and Lambda runs python3.13"
    assert capsys.readouterr().err == (
        f"{problem}: the functions are deployed without bytecode and start more slowly. "
        "Install Python 3.13, or name it in PYTHON_OF_LAMBDA.\n"
    )


def test_lambdas_user_may_read_the_asset_whoever_made_it(asset: Path) -> None:
    modes = {(path.is_dir(), oct(stat.S_IMODE(path.stat().st_mode))) for path in (asset, *asset.rglob("*"))}
    assert (
        {(True, "0o755"), (False, "0o644")} <= modes <= {(True, "0o755"), (False, "0o644"), (False, "0o755")}
    )


def test_the_asset_needs_no_package_from_elsewhere(asset: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(asset)!r}); "
        "import functions.receiver, functions.worker, functions.control, functions.dead_letters; "
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


def test_the_asset_is_small(asset: Path) -> None:
    # A cold start loads from it. Measured with bytecode: 20 MB; with all of botocore's data 38.
    assert sum(path.stat().st_size for path in asset.rglob("*") if path.is_file()) < 22_000_000


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


def test_the_hash_tells_bytecode_from_none(
    sources: Path, lambdas_python: str, other_python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = []
    for python in (lambdas_python, other_python, "python-that-nobody-has"):
        monkeypatch.setenv("PYTHON_OF_LAMBDA", python)
        hashes.append(asset_hash(sources))
    with_bytecode, of_another_python, without = hashes
    assert of_another_python == without
    assert with_bytecode != without
