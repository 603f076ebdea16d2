import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("module", ["places", "weather", "clock"])
def test_a_tool_needs_nothing_but_the_standard_library(module: str) -> None:
    # -S leaves installed packages out.
    command = [sys.executable, "-S", "-c", f"import sample.tools.{module}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
