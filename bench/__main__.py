"""`python -m bench [SECTION…]`: measures and prints Markdown; README.md keeps a printed run."""

import sys
import time
from collections.abc import Callable

from bench import answers, cpu_share, crowd, fairness, goals, imports, memory, report, rush, stop

SECTIONS: dict[str, Callable[[], None]] = {
    "goals": goals.measure,
    "answers": answers.measure,
    "crowd": crowd.measure,
    "fairness": fairness.measure,
    "stop": stop.measure,
    "memory": memory.measure,
    "imports": imports.measure,
}
# Only where it is named: it takes all of the machine for minutes.
ALONE: dict[str, Callable[[], None]] = {"rush": rush.measure}


def main(names: list[str]) -> None:
    known = SECTIONS | ALONE
    if unknown := set(names) - set(known):
        sys.exit(f"no such section: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if sys.platform != "linux":
        sys.exit("only Linux tells what a process uses finely enough")
    began = time.monotonic()
    report.note(f"{report.machine()}; shares of a processor by {cpu_share.how()}")
    for name in names or SECTIONS:
        known[name]()
    report.note(f"Took {time.monotonic() - began:.0f} s.")


if __name__ == "__main__":
    main(sys.argv[1:])
