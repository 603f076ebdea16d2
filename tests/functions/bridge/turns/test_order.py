"""How many calls a person waits for, one after the other."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from functions.bridge.admission.slots import Slots
from functions.bridge.agents.events import Finished, TextDelta
from functions.bridge.agents.port import Question
from functions.bridge.people import KNOWN_SECONDS, Home, Person
from tests.functions.bridge.asking import take
from tests.functions.fakes import START, ScriptedAgent, ScriptedRun, Stage, Step, at_once

T = TypeVar("T")
SUNNY: list[Step] = [TextDelta("It is sunny."), Finished()]


class Noted:
    """A port whose calls are noted."""

    def __init__(self, port: Any, note: Callable[[str], None]) -> None:
        self._port = port
        self._note = note

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name in ("identity", "has_written_in", "has_sessions"):  # which a warm process knows
            return member

        def call(*args: Any, **more: Any) -> Any:
            self._note(name)
            return member(*args, **more)

        return call


class Order:
    """Notes the calls of a turn, in order; in brackets those that it does not wait for."""

    def __init__(self, stage: Stage) -> None:
        self.calls: list[str] = []
        self._is_beside = False
        ports = stage.ports
        slots: Slots = Noted(
            ports.slots, lambda name: self.calls.append(f"({name})")
        )  # has threads of its own
        stage.ports = replace(
            ports,
            ledger=Noted(ports.ledger, self._note),
            chat=Noted(ports.chat, self._note),
            slots=slots,
            beside=self._run_beside,
        )

    def _note(self, name: str) -> None:
        self.calls.append(f"({name})" if self._is_beside else name)

    def _run_beside(self, call: Callable[[], T]) -> Callable[[], T]:
        self._is_beside = True
        try:
            return at_once(call)
        finally:
            self._is_beside = False


def test_processing_waits_for_the_claim_and_the_agent_for_one_write_more(stage: Stage) -> None:
    stage.slots.people["T1:U1"] = (Person(Home("T1"), name="Alice"), START + KNOWN_SECONDS)
    order = Order(stage)
    seen: list[str] = []

    class LookingAgent(ScriptedAgent):
        def ask(self, question: Question) -> ScriptedRun:
            seen.extend(order.calls)
            return super().ask(question)

    take(stage, agent=LookingAgent(stage.clock, SUNNY))
    assert seen == ["(take)", "claim", "(keep_agent)", "(post)", "start"]
