"""`python -m bench [SECTION…]`: measures and prints Markdown; README.md keeps what was once printed."""

import subprocess
import sys
import time
from collections.abc import Callable

from bench import ack, answers, cold_start, crowd, imports, memory, report
from simulator.lambda_service.environment import REPOSITORY

SECTIONS: dict[str, Callable[[], None]] = {
    "ack": ack.measure,
    "answers": answers.measure,
    "crowd": crowd.measure,
    "memory": memory.measure,
    "cold": cold_start.measure,
    "imports": imports.measure,
}
# What Lambda runs; `make test` makes this environment where a Python 3.13 is found.
PYTHON_OF_LAMBDA = REPOSITORY / ".venv-3.13" / "bin" / "python"
STARTS = ("cold", "imports")


def main(names: list[str]) -> None:
    if unknown := set(names) - set(SECTIONS):
        sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    began = time.monotonic()
    report.note(report.machine())
    for name in names or SECTIONS:
        SECTIONS[name]()
    if not names and PYTHON_OF_LAMBDA.exists() and sys.version_info[:2] != (3, 13):
        subprocess.run([PYTHON_OF_LAMBDA, "-m", "bench", *STARTS], cwd=REPOSITORY, check=True)
    if not names:
        report.note(f"Took {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main(sys.argv[1:])
