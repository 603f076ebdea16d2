"""What the Makefile would run on a fresh clone."""

import os
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


def test_another_file_of_settings_is_told_to_all_that_read_it() -> None:
    for target in ("synth", "bootstrap", "deploy"):
        assert '--context "config=$CONFIG"' in commands(target, "CONFIG=bridge.prod.toml")[-1]
    assert commands("deploy", "CONFIG=bridge.prod.toml")[-2] == '.venv/bin/python -m infra.account "$CONFIG"'


@pytest.mark.parametrize("options", [[], ["STYLE=stream"], ["AGENT=harness", "ASK=why?"]])
def test_the_demo_is_ended_with_make_as_no_shell_is_between_them(options: list[str]) -> None:
    assert commands("demo", *options)[-1].startswith("exec .venv/bin/python -m simulator")


def test_the_readme_names_targets_that_there_are() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {*re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text())} <= {*targets}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make demo` needs, installed already; its Python prints its arguments, each in a line."""
    for name in ("Makefile", "requirements/uv.txt", "requirements/demo.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    python = tmp_path / ".venv/bin/python"
    python.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    python.chmod(0o755)
    for name in (".venv/bin/uv", ".venv/.demo"):
        (tmp_path / name).touch()
    return tmp_path


def demo(checkout: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("there is no make")
    # A make that runs these tests hands its own flags and its level on.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", "demo", *options],
        cwd=checkout,
        env=outside | environment,
        capture_output=True,
        text=True,
        check=False,
    )


HARD = "why $5, $(HOME) or `id`? \"quoted\" and 'quoted' \\ #1"


def test_a_question_arrives_whole(checkout: Path) -> None:
    arguments = ["-m", "simulator", "--ask", HARD]
    assert demo(checkout, f"ASK={HARD}").stdout.splitlines() == arguments
    assert demo(checkout, ASK=HARD).stdout.splitlines() == arguments


def test_an_empty_question_is_a_question(checkout: Path) -> None:
    assert demo(checkout, "ASK=").stdout.splitlines() == ["-m", "simulator", "--ask", ""]


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ([], []),
        (["PORT=1 2"], ["--port", "1 2"]),
        (["STYLE=a b", "AGENT=`id`"], ["--style", "a b", "--agent", "`id`"]),
    ],
)
def test_a_wrong_option_arrives_whole(checkout: Path, options: list[str], arguments: list[str]) -> None:
    assert demo(checkout, *options).stdout.splitlines() == ["-m", "simulator", *arguments]


@pytest.mark.parametrize("python", ["/nowhere/python", "false"])
def test_a_wrong_python_is_named_and_leaves_nothing_behind(checkout: Path, python: str) -> None:
    shutil.rmtree(checkout / ".venv")
    done = demo(checkout, f"PYTHON={python}")
    said, ended = done.stderr.splitlines()
    assert said == f"PYTHON={python} is no Python 3.11 or newer"
    assert ended.startswith("make: ***")
    assert not (checkout / ".venv").exists()


def test_a_python_that_makes_half_an_environment_leaves_nothing_behind(checkout: Path) -> None:
    """Such as Debian's without the package python3-venv."""
    shutil.rmtree(checkout / ".venv")
    half = checkout / "half"
    half.write_text('#!/bin/sh\ntest "$2" = venv || exit 0\nmkdir -p .venv/bin\nexit 1\n')
    half.chmod(0o755)
    assert demo(checkout, f"PYTHON={half}").returncode != 0
    assert not (checkout / ".venv").exists()


def test_the_help_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = makefile.partition(".PHONY:")[2].partition("\n")[0].split()
    assert {*targets} - {*re.findall(r"^# make ([a-z-]+)", makefile, re.MULTILINE)} == {"help"}
