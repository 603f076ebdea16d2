"""Threads that wait are woken for many events at once: counted here, as each switch takes a delta's time."""

import threading
from collections.abc import Callable, Sequence

import pytest

from functions.adapters.agents import event_buffer
from functions.adapters.agents.event_buffer import ENOUGH_EVENTS, MOST_EVENTS, EventBuffer
from functions.bridge.agents.events import AgentEvent, Finished, TextDelta
from tests.functions.adapters.runs import WAIT

WORDS = [TextDelta(f"word{number} ") for number in range(10 * MOST_EVENTS)]


class Waits:
    """How often each thread has waited, by its name."""

    def __init__(self) -> None:
        self.count: dict[str, int] = {}

    def condition(self, lock: threading.Lock) -> threading.Condition:
        waits = self.count

        class Counted(threading.Condition):
            def wait(self, timeout: float | None = None) -> bool:
                name = threading.current_thread().name
                waits[name] = waits.get(name, 0) + 1
                return super().wait(timeout)

        return Counted(lock)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    counted = Waits()
    monkeypatch.setattr(event_buffer, "Condition", counted.condition)
    return counted


def reader(buffer: EventBuffer, events: Sequence[AgentEvent]) -> threading.Thread:
    """A thread that puts them in, until nobody takes them any more."""
    thread = threading.Thread(target=lambda: all(map(buffer.put, events)), name="reader", daemon=True)
    thread.start()
    return thread


def test_events_come_out_in_order_one_by_one_and_all_at_once() -> None:
    buffer = EventBuffer()
    said: list[AgentEvent] = [*WORDS[:5], Finished()]
    assert all(map(buffer.put, said))
    assert [buffer.take(WAIT), buffer.take(0)] == WORDS[:2]
    assert buffer.take_all(WAIT) == [*WORDS[2:5], Finished()]


def test_nobody_waits_for_more_than_the_end() -> None:
    buffer = EventBuffer()
    buffer.put(Finished())
    assert buffer.take(WAIT) == Finished()
    assert buffer.take(WAIT) is None
    assert buffer.take_all(WAIT) == []


def test_nothing_comes_of_a_silent_agent() -> None:
    assert EventBuffer().take(0.001) is None
    assert EventBuffer().take_all(0.001) == []


def test_whoever_lets_events_gather_is_woken_for_many_at_once(waits: Waits) -> None:
    buffer = EventBuffer()
    thread = reader(buffer, [*WORDS, Finished()])
    heard: list[AgentEvent] = []
    while Finished() not in heard[-1:]:
        heard += buffer.take_all(WAIT)
    thread.join(WAIT)
    assert heard == [*WORDS, Finished()]
    assert waits.count.get("MainThread", 0) <= len(WORDS) / ENOUGH_EVENTS + 1


def test_a_reader_that_has_no_room_is_woken_for_much_of_it_at_once(waits: Waits) -> None:
    buffer = EventBuffer()
    thread = reader(buffer, WORDS)
    assert [buffer.take(WAIT) for _ in WORDS] == WORDS
    thread.join(WAIT)
    assert waits.count.get("reader", 0) <= len(WORDS) / (MOST_EVENTS - ENOUGH_EVENTS) + 1


def test_a_reader_is_done_with_when_the_buffer_is_closed() -> None:
    buffer = EventBuffer()
    thread = reader(buffer, WORDS)
    buffer.take(WAIT)
    buffer.close()
    thread.join(WAIT)
    assert not thread.is_alive()
    assert not buffer.put(Finished())


def test_what_came_before_it_was_closed_is_still_there_and_nobody_waits_for_more() -> None:
    buffer = EventBuffer()
    buffer.put(WORDS[0])
    buffer.close()
    assert buffer.take_all(WAIT) == WORDS[:1]
    assert buffer.take(WAIT) is None


@pytest.mark.parametrize("take", [EventBuffer.take, EventBuffer.take_all])
def test_whoever_waits_is_woken_when_it_is_closed(take: Callable[[EventBuffer, float], object]) -> None:
    buffer = EventBuffer()
    waiting = threading.Thread(target=lambda: take(buffer, WAIT), daemon=True)
    waiting.start()
    buffer.close()
    waiting.join(WAIT / 2)
    assert not waiting.is_alive()
