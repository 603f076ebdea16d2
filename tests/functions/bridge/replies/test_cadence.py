import heapq
from collections import deque
from itertools import pairwise

from functions.bridge.replies.cadence import Cadence

MINUTE = 60.0


def edits_within(seconds: float, cadence: Cadence) -> list[float]:
    """When edits go out if there is always something new."""
    at = []
    now = 0.0
    while now <= seconds:
        at.append(now)
        cadence.edited(now)
        now = cadence.due_at()
    return at


def refused_of_crowd(answers: int, *, seconds: float, limit: int) -> list[tuple[float, bool]]:
    """When calls are made, and whether Slack refuses them, if it takes `limit` calls in any minute.

    There is always something new, and each answer ends with a call that must land.
    """
    cadences = [Cadence(phase=(number * 0.618) % 1) for number in range(answers)]
    due = [(number / 10, number) for number in range(answers)]
    taken: deque[float] = deque()
    calls = []
    while due:
        now, number = heapq.heappop(due)
        while taken and taken[0] <= now - MINUTE:
            taken.popleft()
        is_refused = len(taken) >= limit
        calls.append((now, is_refused))
        if is_refused:
            retry_after = taken[0] + MINUTE - now
            cadences[number].refused(now, retry_after)
        else:
            taken.append(now)
            cadences[number].edited(now)
        if now < seconds:
            heapq.heappush(due, (min(cadences[number].due_at(), seconds + number / 10), number))
        elif is_refused:
            heapq.heappush(due, (now + retry_after, number))
    return calls


def test_the_first_text_is_shown_at_once() -> None:
    assert Cadence(phase=0.5).due_at() < 0


def test_the_intervals_grow_to_five_seconds() -> None:
    at = edits_within(30, Cadence(phase=0.5))
    intervals = [later - earlier for earlier, later in pairwise(at)]
    assert intervals[:5] == [1.0, 1.5, 2.25, 3.375, 5.0]
    assert set(intervals[4:]) == {5.0}


def test_an_answer_of_a_minute_takes_fewer_than_twenty_edits() -> None:
    assert len(edits_within(60, Cadence(phase=0.5))) < 18


def test_each_refusal_doubles_the_interval_up_to_half_a_minute() -> None:
    cadence = Cadence(phase=0)
    cadence.edited(0)
    waits = []
    for _ in range(6):
        cadence.refused(0, retry_after=1)
        waits.append(cadence.due_at())
    assert waits == [2, 4, 8, 16, 30, 30]


def test_slack_may_ask_for_more() -> None:
    cadence = Cadence(phase=0)
    cadence.refused(10, retry_after=45)
    assert cadence.due_at() == 55


def test_a_long_wait_is_followed_by_long_intervals() -> None:
    cadence = Cadence(phase=0)
    cadence.refused(0, retry_after=20)
    cadence.edited(20)
    assert cadence.due_at() == 40
    cadence.refused(40, retry_after=58)
    cadence.edited(98)
    assert cadence.due_at() == 128


def test_a_refusal_is_not_forgotten_after_the_next_edit() -> None:
    cadence = Cadence(phase=0)
    cadence.refused(0, retry_after=1)
    cadence.refused(0, retry_after=1)
    cadence.refused(0, retry_after=1)
    cadence.edited(10)
    assert cadence.due_at() == 18


def test_answers_that_were_refused_together_come_back_apart() -> None:
    cadences = [Cadence(phase=0.25), Cadence(phase=0.75)]
    for cadence in cadences:
        cadence.refused(0, retry_after=20)
    assert [cadence.due_at() for cadence in cadences] == [25, 35]
    for cadence in cadences:
        cadence.edited(40)
    assert [cadence.due_at() for cadence in cadences] == [65, 75]


def test_of_twenty_answers_at_once_few_calls_are_refused_after_the_first_minute() -> None:
    for seconds in (70, 100, 180, 280):
        for limit in (50, 100):
            calls = refused_of_crowd(20, seconds=seconds, limit=limit)
            later = [is_refused for at, is_refused in calls if at >= MINUTE]
            assert sum(later) < 0.05 * len(later), (seconds, limit)


def test_what_should_not_wait_is_shown_at_once() -> None:
    cadence = Cadence(phase=0.5)
    cadence.edited(10)
    cadence.hurry()
    assert cadence.due_at() < 10
    cadence.edited(10.2)
    assert cadence.due_at() == 11.7


def test_what_is_urgent_does_not_wait_for_a_refusal_to_pass() -> None:
    cadence = Cadence(phase=0)
    cadence.refused(10, retry_after=20)
    cadence.hurry()
    assert cadence.due_at() < 10
