import pytest

from functions.bridge.errors import PassingTrouble, ServiceUnavailable
from functions.bridge.replies.chat import ChatRateLimited, ChatRefused, ChatUnavailable
from functions.bridge.waits import LONGEST_WAIT, Retry
from tests.functions.fakes import START, FakeClock

LATER = START + 1000


class Failing:
    """A call that meets its troubles one after the other, and then returns "done"."""

    def __init__(self, *troubles: Exception) -> None:
        self._troubles = list(troubles)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self._troubles:
            raise self._troubles.pop(0)
        return "done"


def retry(
    clock: FakeClock, *, share: float = 1.0, until: float = LATER, most_tries: int | None = None
) -> Retry:
    return Retry(clock, clock.sleep, share, until=until, most_tries=most_tries)


def test_a_call_that_fails_for_now_is_repeated_until_it_succeeds() -> None:
    call = Failing(ServiceUnavailable("down"), ChatUnavailable("timeout"), ChatRateLimited(2))
    assert retry(FakeClock()).run(call) == "done"
    assert call.calls == 4


def test_waits_grow_up_to_a_bound_and_a_wait_that_was_asked_for_does_not_count() -> None:
    clock = FakeClock()
    waits: list[float] = []
    down = [ServiceUnavailable("down")] * 6
    asked = Retry(clock, waits.append, 1.0, until=LATER)
    asked.run(Failing(*down[:2], ChatRateLimited(8), *down[2:]))
    assert waits == [1, 2, 10, 4, 8, LONGEST_WAIT, LONGEST_WAIT]


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_wait_that_was_asked_for_is_never_shorter(share: float) -> None:
    clock = FakeClock()
    retry(clock, share=share).run(Failing(ChatRateLimited(7)))
    assert START + 7 <= clock.now() <= START + 7 * 1.25


def test_a_rate_limit_of_zero_seconds_is_waited_for_a_second() -> None:
    clock = FakeClock()
    retry(clock).run(Failing(ChatRateLimited(0)))
    assert clock.now() == START + 1


def test_the_last_exception_is_raised_when_no_time_is_left_for_a_wait() -> None:
    clock = FakeClock()
    tried = retry(clock, until=START + 5)
    with pytest.raises(ChatRateLimited):
        tried.run(Failing(ServiceUnavailable("down"), ChatRateLimited(4)))
    assert (clock.now(), tried.wait) == (START + 1, 5)


def test_a_call_is_made_at_most_as_often_as_it_may_be() -> None:
    clock = FakeClock()
    call = Failing(*[ServiceUnavailable("down")] * 9)
    with pytest.raises(ServiceUnavailable):
        retry(clock, most_tries=3).run(call)
    assert (call.calls, clock.now()) == (3, START + 3)


@pytest.mark.parametrize("trouble", [ChatRefused("no_text"), ValueError("a defect")])
def test_another_exception_is_raised_at_once(trouble: Exception) -> None:
    call = Failing(trouble)
    with pytest.raises(type(trouble)):
        retry(FakeClock()).run(call)
    assert call.calls == 1


def test_only_the_named_exceptions_are_retried() -> None:
    clock = FakeClock()
    call = Failing(ChatRateLimited(1), ChatUnavailable("timeout"))
    with pytest.raises(PassingTrouble, match="timeout"):
        Retry(clock, clock.sleep, 1.0, until=LATER, after=(ChatRateLimited,)).run(call)
    assert call.calls == 2
