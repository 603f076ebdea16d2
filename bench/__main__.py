"""`python -m bench [SECTION…]`: measures and prints Markdown; README.md keeps a printed run."""

import sys
import time
from collections.abc import Callable

from bench import answers, cpu_share, crowd, fairness, goals, imports, memory, report, stop

SECTIONS: dict[str, Callable[[], None]] = {
    "goals": goals.measure,
    "answers": answers.measure,
    "crowd": crowd.measure,
    "fairness": fairness.measure,
    "stop": stop.measure,
    "memory": memory.measure,
    "imports": imports.measure,
}


def main(names: list[str]) -> None:
    if unknown := set(names) - set(SECTIONS):
        sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if sys.platform != "linux":
        sys.exit("only Linux tells what a process uses finely enough")
    began = time.monotonic()
    report.note(f"{report.machine()}; shares of a processor by {cpu_share.how()}")
    for name in names or SECTIONS:
        SECTIONS[name]()
    report.note(f"Took {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main(sys.argv[1:])
