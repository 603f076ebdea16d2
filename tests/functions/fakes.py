"""Scripted and recording stand-ins for the bridge's ports. Time passes only when somebody waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from functions.bridge.agent import AgentEvent, Question
from functions.bridge.chat import Part
from functions.bridge.custody import Delivery, Ports
from functions.bridge.ledger import (
    QUESTION_KEPT_SECONDS,
    SETTLED,
    AlreadySettled,
    Claim,
    Held,
    LeaseLost,
    Record,
    State,
    is_settled,
    taken_over,
)
from functions.bridge.turn import Turn

TURN = Turn(
    team="T1",
    channel="C1",
    ts="1700000000.000100",
    thread_ts="1700000000.000100",
    user="U1",
    bot_user="UBOT",
    text="what's the weather in Chicago today?",
)
START = 1_700_000_000.0


class FakeClock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class FakeMessage:
    hidden: list[float] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    def hide(self, seconds: float) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.hidden.append(seconds)


class FakeChat:
    """A thread. `trouble` scripts what the next calls of a method raise; None lets one pass.

    A `(exception, "after")` pair takes effect first and raises then: the answer got lost.
    """

    def __init__(self) -> None:
        self.messages: dict[str, Part] = {}
        self.calls: list[tuple[str, str]] = []
        self.trouble: dict[str, list[Exception | tuple[Exception, str] | None]] = {}

    def post(self, part: Part) -> str:
        ts = f"{len(self.calls) + 1}.0"
        self._do("post", part, lambda: self.messages.__setitem__(ts, part))
        return ts

    def edit(self, ts: str, part: Part) -> None:
        assert ts in self.messages, f"{ts} was never posted"
        self._do("edit", part, lambda: self.messages.__setitem__(ts, part))

    def delete(self, turn: Turn, ts: str) -> None:
        assert self.messages[ts].turn.turn_id == turn.turn_id
        self._do("delete", None, lambda: self.messages.__delitem__(ts))

    def whisper(self, turn: Turn, text: str) -> None:
        self._do("whisper", Part(turn, 0, text), lambda: None)

    def find(self, turn: Turn) -> dict[int, str]:
        self._do("find", None, lambda: None)
        return {part.number: ts for ts, part in self.messages.items() if part.turn.turn_id == turn.turn_id}

    def texts(self) -> list[str]:
        """What the thread says now."""
        return [part.markdown for part in self.messages.values()]

    def history(self, method: str) -> list[str]:
        return [text for name, text in self.calls if name == method]

    def _do(self, method: str, part: Part | None, effect: Callable[[], None]) -> None:
        self.calls.append((method, part.markdown if part else ""))
        script = self.trouble.get(method, [])
        trouble = script.pop(0) if script else None
        if trouble is None or isinstance(trouble, tuple):
            effect()
        if isinstance(trouble, tuple):
            raise trouble[0]
        if trouble is not None:
            raise trouble


class FakeLedger:
    """The ledger's rules in a dictionary. `tests/functions/adapters/test_ledger.py` holds both to them."""

    def __init__(self, clock: FakeClock) -> None:
        self.records: dict[str, Record] = {}
        self.leases: dict[str, float] = {}
        self.questions: dict[str, tuple[str, float]] = {}
        self.writes: list[tuple[str, Record]] = []
        self.trouble: dict[str, list[Exception]] = {}
        self._clock = clock

    def claim(self, turn: Turn, *, owner: str, now: float, lease_seconds: float) -> Claim:
        found = self.records.get(turn.turn_id)
        if found is None:
            record = Record(turn.turn_id, turn.attempt, State.RECEIVED, owner)
        elif is_settled(found, turn):
            return AlreadySettled(found.state)
        elif (found.owner, found.attempt) == (owner, turn.attempt):
            return found
        elif found.state not in SETTLED and self.leases[turn.turn_id] > now:
            return Held(self.leases[turn.turn_id] - now)
        else:
            record = taken_over(found, turn, owner)
        self.records[turn.turn_id] = record
        self.leases[turn.turn_id] = now + lease_seconds
        return record

    def keep_question(self, turn: Turn) -> None:
        self.questions[turn.turn_id] = (turn.text, self._clock.now() + QUESTION_KEPT_SECONDS)

    def question(self, turn: Turn) -> str | None:
        text, until = self.questions.get(turn.turn_id, (None, 0.0))
        return text if until > self._clock.now() else None

    def forget_question(self, turn: Turn) -> None:
        self.questions.pop(turn.turn_id, None)

    def renew(self, record: Record, *, until: float) -> None:
        self._check("renew", record)
        self.leases[record.turn_id] = until

    def advance(self, record: Record) -> None:
        self._check("advance", record)
        found = self.records[record.turn_id]
        self.records[record.turn_id] = replace(record, owed=found.owed, ending=found.ending)

    def owe(self, record: Record) -> None:
        self._check("owe", record)
        self.records[record.turn_id] = record

    def settle(self, record: Record) -> None:
        self._check("settle", record)
        self.records[record.turn_id] = replace(record, owed=(), ending=None)

    def _check(self, name: str, record: Record) -> None:
        if script := self.trouble.get(name):
            raise script.pop(0)
        found = self.records[record.turn_id]
        if (found.owner, found.attempt) != (record.owner, record.attempt):
            raise LeaseLost("held by somebody else")
        self.writes.append((name, record))


Step = AgentEvent | float | Callable[[], None]


class ScriptedRun:
    """Says its script: events, pauses in seconds, and things that happen meanwhile."""

    def __init__(self, steps: Sequence[Step], clock: FakeClock) -> None:
        self._steps = list(steps)
        self._clock = clock
        self.cancelled = False
        self.asked = 0  # how often somebody looked for an event

    def next(self, timeout: float) -> AgentEvent | None:
        self.asked += 1
        while self._steps:
            step = self._steps[0]
            if isinstance(step, float):
                waited = min(step, timeout)
                self._clock.sleep(waited)
                self._steps[0] = step - waited
                if step > timeout:
                    return None
                timeout -= waited
                self._steps.pop(0)
            elif callable(step):
                self._steps.pop(0)
                step()
            else:
                self._steps.pop(0)
                return step
        self._clock.sleep(timeout)
        return None

    def cancel(self) -> None:
        self.cancelled = True


class ScriptedAgent:
    """Runs one script after the other, the last one again and again."""

    def __init__(self, clock: FakeClock, *scripts: Sequence[Step]) -> None:
        self._clock = clock
        self._scripts = list(scripts)
        self.questions: list[Question] = []
        self.runs: list[ScriptedRun] = []

    def ask(self, question: Question) -> ScriptedRun:
        self.questions.append(question)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self.runs.append(ScriptedRun(script, self._clock))
        return self.runs[-1]


class Stage:
    """Everything that a turn needs, put together for a test."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.chat = FakeChat()
        self.ledger = FakeLedger(self.clock)
        self.message = FakeMessage()
        self.ports = Ports(chat=self.chat, ledger=self.ledger, clock=self.clock, lease_seconds=60.0)
        self._deliveries = 0

    def delivery(self, seconds: float = 290.0) -> Delivery:
        self._deliveries += 1
        return Delivery(self.message, f"request-{self._deliveries}", self.clock.now() + seconds)

    @property
    def record(self) -> Record:
        return self.ledger.records[TURN.turn_id]
