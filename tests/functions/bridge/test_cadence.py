from itertools import pairwise

from functions.bridge.cadence import Cadence


def edits_within(seconds: float, cadence: Cadence) -> list[float]:
    """When edits go out if there is always something new."""
    at = []
    now = 0.0
    while now <= seconds:
        at.append(now)
        cadence.edited(now)
        now = cadence.due_at()
    return at


def test_the_first_text_is_shown_at_once() -> None:
    assert Cadence().due_at() < 0


def test_the_intervals_grow_to_five_seconds() -> None:
    at = edits_within(30, Cadence())
    intervals = [later - earlier for earlier, later in pairwise(at)]
    assert intervals[:5] == [1.0, 1.5, 2.25, 3.375, 5.0]
    assert set(intervals[4:]) == {5.0}


def test_an_answer_of_a_minute_takes_fewer_than_twenty_edits() -> None:
    assert len(edits_within(60, Cadence())) < 18


def test_each_refusal_doubles_the_interval_up_to_half_a_minute() -> None:
    cadence = Cadence()
    cadence.edited(0)
    waits = []
    for _ in range(6):
        cadence.refused(0, retry_after=1)
        waits.append(cadence.due_at())
    assert waits == [2, 4, 8, 16, 30, 30]


def test_slack_may_ask_for_more() -> None:
    cadence = Cadence()
    cadence.refused(10, retry_after=45)
    assert cadence.due_at() == 55


def test_a_refusal_is_not_forgotten_after_the_next_edit() -> None:
    cadence = Cadence()
    cadence.refused(0, retry_after=1)
    cadence.refused(0, retry_after=1)
    cadence.refused(0, retry_after=1)
    cadence.edited(10)
    assert cadence.due_at() == 18
