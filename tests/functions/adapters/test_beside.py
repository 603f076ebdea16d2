import threading

import pytest

from functions.adapters.beside import beside


def test_a_call_runs_beside_the_callers_work() -> None:
    goes_on = threading.Event()
    wait = beside(lambda: goes_on.wait(10))
    goes_on.set()  # the call waits for us: one after the other it would wait in vain
    assert wait() is True


def test_what_a_call_raises_is_raised_where_it_is_waited_for() -> None:
    nobody: list[str] = []
    wait = beside(lambda: nobody[0])
    with pytest.raises(IndexError):
        wait()
