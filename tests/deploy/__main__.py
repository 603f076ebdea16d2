"""`make deploy-check`: the shipped template and code, deployed into an AWS on loopback, and used there."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.deploy.check import STEPS, deployment
from tests.deploy.roles import send_as_somebody_else, take_actions_away

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "--auth", action="store_true", help="check signatures and enforce the functions' policies"
)
arguments = parser.parse_args()
began = time.monotonic()
with (
    tempfile.TemporaryDirectory(prefix="deploy-check-") as folder,
    deployment(Path(folder), auth=arguments.auth) as bridge,
):
    *steps, last = STEPS
    for step in (*steps, send_as_somebody_else, take_actions_away, last) if arguments.auth else STEPS:
        print(f"{time.monotonic() - began:6.1f} s  {step.__name__.replace('_', ' ')}", flush=True)
        try:
            step(bridge)
        except Exception:
            print(bridge.cloud.log()[-4000:], file=sys.stderr)
            raise
print(f"{time.monotonic() - began:6.1f} s  {'; '.join(bridge.said)}")
