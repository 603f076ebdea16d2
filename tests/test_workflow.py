"""The workflow of GitHub Actions, as far as it can be told without GitHub."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")


def test_it_runs_targets_that_there_are() -> None:
    targets = {*re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)}
    called = {*re.findall(r"make (?:-C \S+ )?([a-z-]+)", WORKFLOW)}
    assert called == {"test", "synth"}
    assert called <= targets


def test_it_may_write_nothing_into_the_repository() -> None:
    allowed = {*re.findall(r"^ +([a-z-]+): (?:read|write)$", WORKFLOW, re.MULTILINE)}
    assert allowed == {"contents", "id-token"}
    assert "contents: write" not in WORKFLOW


def test_what_others_write_is_no_part_of_a_command() -> None:
    """GitHub puts such a text into the shell's script as it is: a branch's name may hold commands."""
    commands = re.findall(r"run: (?:\|\n((?: {10}.*\n)+)|(.*))", WORKFLOW)
    assert commands
    assert not [command for pair in commands for command in pair if "${{" in command]
