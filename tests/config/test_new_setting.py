"""A setting is added in four places: what CONTRIBUTING.md shows, done to a copy of the repository."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
COPIED = ("README.md", "pyproject.toml", "config", "functions", "tests/config")

READ = """
from pathlib import Path
import functions.worker
from config.bridge_toml import check
from config.document import document
from functions.settings import Settings

def margin_of(reply):
    own = {"kind": "bedrock-agent", "agent_id": "ABCDEFGHIJ", "alias_id": "TSTALIASID"}
    config = check({"name": "agent-bridge", "agents": {"default": own}, "reply": reply})
    Path("settings.json").write_text(document(config.settings), "utf-8")
    return Settings.read({"SETTINGS_FILE": "settings.json"}).reply.margin_seconds

print(margin_of({"margin_seconds": 25}), margin_of({}))
"""


def edits() -> list[tuple[str, str, str]]:
    """The file, the text and the new text of each place, from the diffs of CONTRIBUTING.md."""
    section = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## Another setting")[2]
    found = []
    for block in re.findall(r"```diff\n(.*?)```", section.partition("\n## ")[0], re.DOTALL):
        file, *lines = dedent(block).splitlines()
        old = "\n".join(line[1:] for line in lines if line[0] in " -")
        new = "\n".join(line[1:] for line in lines if line[0] in " +")
        found.append((file, old, new))
    return found


def test_a_setting_is_added_in_four_places(tmp_path: Path) -> None:
    for name in COPIED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    assert len(edits()) == 4
    for file, old, new in edits():
        text = (tmp_path / file).read_text("utf-8")
        assert text.count(old) == 1, file
        (tmp_path / file).write_text(text.replace(old, new), "utf-8")
    assert run(tmp_path, "-c", READ).split() == ["25", "10"]
    run(tmp_path, "-m", "pytest", "-q", "tests/config/test_readme.py")


def run(folder: Path, *arguments: str) -> str:
    """What Python prints there. It must succeed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
