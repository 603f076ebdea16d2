from typing import Any

from simulator.journal import Entry
from simulator.page.tracing import Tracer

ROOTS = {("C", "1.000001"): "1.000001", ("C", "1.000002"): "1.000001"}


def tracer() -> Tracer:
    return Tracer(lambda channel, ts: ROOTS.get((channel, ts)))


def threads(*details: dict[str, Any]) -> list[str | None]:
    found = tracer()
    for number, detail in enumerate(details):
        found.add(Entry(number, 0.0, "source", "kind", detail))
    return [found.threads.get(number) for number in range(len(details))]


def test_a_message_belongs_to_its_thread() -> None:
    assert threads({"channel": "C", "ts": "1.000002"}) == ["C:1.000001"]


def test_a_post_that_was_refused_belongs_to_the_thread_it_was_for() -> None:
    assert threads({"channel": "C", "ts": None, "arguments": {"thread_ts": "1.000001"}}) == ["C:1.000001"]


def test_a_message_that_is_gone_is_a_thread_of_its_own() -> None:
    assert threads({"channel": "C", "ts": "9.000000"}) == ["C:9.000000"]


def test_a_group_and_a_session_name_their_thread() -> None:
    assert threads({"group_id": "T:C:1.000001"}, {"session": "T:C:1.000001"}) == ["C:1.000001"] * 2


def test_an_invocation_belongs_to_the_thread_of_its_queue_message() -> None:
    received = {"group_id": "T:C:1.000001", "message_id": "m"}
    assert threads(received, {"request_id": "r", "trigger_id": "m"}) == ["C:1.000001"] * 2


def test_what_came_before_the_event_was_answered_is_understood_afterwards() -> None:
    assert (
        threads(
            {"function": "receiver", "request_id": "r", "trigger_id": "g"},
            {"function": "receiver", "request_id": "r", "trigger_id": "g", "milliseconds": 3},
            {"path": "/slack/events", "request_id": "g"},
            {"channel": "C", "ts": "1.000001", "request_id": "g"},
        )
        == ["C:1.000001"] * 4
    )


def test_what_names_nothing_belongs_nowhere() -> None:
    assert (
        threads({"function": "worker", "pid": 1}, {"request_id": "other"}, {"session": "short"}) == [None] * 3
    )
