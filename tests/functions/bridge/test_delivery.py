"""When a message comes again that could not be worked on."""

from dataclasses import replace

import pytest

from functions.bridge.delivery import Delivery
from tests.functions.fakes import FakeMessage

DELIVERY = Delivery(FakeMessage(), "request-1", deadline=0.0)


@pytest.mark.parametrize(("tries", "seconds"), [(0, 5), (1, 5), (2, 10), (3, 20), (5, 60), (5000, 60)])
def test_a_message_waits_longer_each_time_but_a_minute_at_most(tries: int, seconds: int) -> None:
    assert seconds / 2 <= DELIVERY.back_off(tries) <= seconds


def test_a_message_waits_for_hours_where_that_is_wanted() -> None:
    assert 7200 <= DELIVERY.back_off(5000, longest=14_400) <= 14_400


def test_messages_that_fail_at_the_same_moment_come_again_at_different_ones() -> None:
    waits = [replace(DELIVERY, owner=f"request-{number}").back_off(5) for number in range(100)]
    assert min(waits) < 35
    assert max(waits) > 55
    assert len(set(waits)) == 100
