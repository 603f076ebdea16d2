"""What the bench gives the receiver is what the receiver needs and expects today."""

from collections.abc import Iterator

import pytest

from bench import tls
from bench.ingress import OURS, Ingress
from functions.bridge.queue_commands import Ask, from_json


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingress]:
    for name, file in tls.variables().items():
        monkeypatch.setenv(name, file)  # of this process, until the test ends
    running = Ingress(limit=lambda _: None)
    running.start()
    yield running
    running.stop()


def test_the_receiver_of_the_bench_takes_an_event_and_puts_it_on_its_queue(running: Ingress) -> None:
    running.initialised(OURS)
    running.calls.clear()
    assert running.invoke(OURS, running.body()) == 200
    [call] = running.calls
    command = from_json(call.arguments["MessageBody"])
    assert isinstance(command, Ask)
    assert command.turn.text


def test_the_receiver_of_the_bench_refuses_a_forgery(running: Ingress) -> None:
    running.initialised(OURS)
    running.calls.clear()
    assert running.invoke(OURS, running.body(), secret="guessed") == 401
    assert "SendMessage" not in {call.operation for call in running.calls}
