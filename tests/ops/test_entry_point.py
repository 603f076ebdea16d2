"""How the command `bridge` comes into the environment."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

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


def test_the_commands_that_are_written_down_are_there() -> None:
    from ops.__main__ import main

    written = [
        found
        for name in ("README.md", "CONTRIBUTING.md")
        for found in re.findall(
            r"\bbridge ((?:init|manifest|secrets|dev)\b[^`\n|.,;)]*)", (ROOT / name).read_text()
        )
    ]
    assert len(written) > 8
    for line in written:
        name, *words = line.split("#")[0].split()
        options = {option for parameter in main.commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
    assert {line.split()[0] for line in written} == {*main.commands}


def test_the_function_that_readme_shows_answers() -> None:
    code = (ROOT / "README.md").read_text().partition("```python\ndef handler")[2].partition("```")[0]
    made: dict[str, Any] = {}
    exec(f"def handler{code}", made)
    answer = made["handler"]({"prompt": "how are you?", "slack": {"name": "alice"}})
    assert "".join(answer) == "Good day, alice. You asked: how are you?"
