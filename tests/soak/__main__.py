"""`make soak`: 500 questions in 100 threads of four channels."""

import argparse
import sys
import time

from tests.soak.soak import simulation, soak

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--threads", type=int, default=100, help="threads of five questions each")
parser.add_argument("--seed", type=int, default=int(time.time()), help="what goes wrong, and where")
arguments = parser.parse_args()
print(f"seed {arguments.seed}", flush=True)
with simulation() as running:
    report = soak(running, threads=arguments.threads, questions=5, seed=arguments.seed)
print(report)
print("faults:", ", ".join(f"{number} {name}" for name, number in report.faults.most_common()))
wrong = [*report.lost, *report.twice, *report.stuck, *report.out_of_order]
print("\n".join(wrong))
sys.exit(bool(wrong))
