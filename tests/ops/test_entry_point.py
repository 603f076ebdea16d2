"""How the command `bridge` comes into the environment."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_is_installed_without_a_network_and_runs_what_is_in_the_repository(tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    [line] = [
        line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("INSTALL_BRIDGE")
    ]
    command = line.partition(" = ")[2].split()
    assert command[:5] == [".venv/bin/uv", "pip", "install", "--quiet", "--offline"]
    here = {".venv/bin/uv": str(Path(sys.executable).parent / "uv"), ".venv": str(environment)}
    subprocess.run([here.get(word, word) for word in command], cwd=ROOT, check=True)
    done = subprocess.run(
        [environment / "bin/bridge", "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": sysconfig.get_path("purelib")},  # for click and boto3
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Usage: bridge" in done.stdout


def test_every_subcommand_has_help_and_json() -> None:
    from ops.__main__ import main

    for command in main.commands.values():
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "--config"} <= options, command.name
        assert command.help
