import pytest

from functions.bridge.delivery import back_off


@pytest.mark.parametrize(("receives", "seconds"), [(1, 5), (2, 10), (3, 20), (5, 60), (5000, 60)])
def test_a_message_waits_longer_each_time_but_a_minute_at_most(receives: int, seconds: int) -> None:
    assert back_off(receives) == seconds
