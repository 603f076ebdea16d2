import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench import cpu_share


@pytest.mark.parametrize(("memory", "part"), [(1769, 1.0), (3008, 1.0), (128, 128 / 1769)])
def test_memory_brings_a_share_of_at_most_one_processor(memory: int, part: float) -> None:
    assert cpu_share.share(memory) == part


def test_a_quota_is_a_share_of_twenty_milliseconds_and_never_too_short_for_linux() -> None:
    assert cpu_share._quota(cpu_share.V2, 0.25) == {"cpu.max": "5000 20000"}
    assert cpu_share._quota(cpu_share.V1, 0.01) == {"cpu.cfs_period_us": "20000", "cpu.cfs_quota_us": "1000"}


def test_a_duty_cycle_leaves_a_process_that_goes_on() -> None:
    process = subprocess.Popen([sys.executable, "-c", "print(sum(range(10**6)))"], stdout=subprocess.PIPE)
    environment = SimpleNamespace(pid=process.pid, alive=True)
    cycle = threading.Thread(target=cpu_share._duty_cycle, args=[cast(Any, environment), 0.5])

    cycle.start()
    said, _ = process.communicate()
    environment.alive = False
    cycle.join()

    assert said == b"499999500000\n"
    assert process.returncode == 0
