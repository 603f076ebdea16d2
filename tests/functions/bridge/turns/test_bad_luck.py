"""Bad luck, by seed: whatever goes wrong, in whatever order, one outcome stands in the thread.

The model check (test_state_machine) tries what it can think of in a few steps. Here everything fails at once,
for long, and answers are long as well.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from functions.bridge.agents.events import Failed, File, Finished, TextDelta, ToolUse
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.record import SETTLED
from functions.bridge.replies.chat import ChatAppRefused, ChatRateLimited, ChatUnavailable
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turns.answer import give_up
from functions.bridge.turns.handle import handle
from functions.bridge.turns.ports import Ports
from tests.functions.bridge.asking import Killed, NotingAgent, answering
from tests.functions.bridge.outcomes import check_agent, check_settled
from tests.functions.fakes import TURN, Stage, Step, at_once, command_of, next_attempt, when_waited_for

STORIES = 250
TEXTS = ["It is sunny. ", "More of it.\n\n", "x ", "`y` ", "a < b ", "- one\n- two\n\n"]
LONG_TEXT = "\n\n".join(f"Paragraph {number}. {'word ' * 200}" for number in range(14)) + "\n\n"
# Seconds between two events of an agent.
PAUSES = [0.01, 1.0, 3.0, 6.0, 12.0, 31.0]
LEASE_SECONDS = 60.0


class Luck:
    """Decides by chance how the next call of a port ends; nothing fails any more when it is `over`."""

    def __init__(self, chance: random.Random, stage: Stage) -> None:
        self.over = False
        # The process dies at the call of this number; and whether that has its effect.
        self._death: tuple[int, bool] | None = None
        self._calls = 0
        self._chance = chance
        self._stage = stage
        self._slack_fails = chance.choice([0, 0.05, 0.15, 0.4])
        self._ledger_fails = chance.choice([0, 0, 0.1, 0.3])
        self._limited_until: dict[str, float] = {}
        self._down_until = float("-inf")
        self._refused_until = float("-inf")

    def new_process(self) -> None:
        early, late = self._chance.randint(1, 30), self._chance.randint(1, 70)
        self._death = self._chance.choice([None, (early, True), (early, False), (late, True), (late, False)])
        self._calls = 0
        if self._chance.random() < 0.5:
            self._stage.chat.places.clear()  # it has written nowhere yet

    def slack_goes_down(self) -> None:
        self._down_until = self._stage.clock.now() + self._chance.choice([20, 100, 290])

    def app_is_refused(self) -> None:
        self._refused_until = self._stage.clock.now() + self._chance.choice([5, 60, 3600])

    def slack(self, method: str, call: Callable[[], Any]) -> Any:
        if method in ("has_written_in", "has_sessions"):  # no call of Slack
            return call()
        self._stage.clock.sleep(self._chance.choice([0, 0.1, 0.3]))
        if self.over:
            return call()
        now = self._stage.clock.now()
        if now < self._down_until:
            raise ChatUnavailable("503")
        if now < self._refused_until:
            raise ChatAppRefused("invalid_auth", "store another token")
        if now < (until := self._limited_until.get(method, now)):
            raise ChatRateLimited(until - now)
        if self._chance.random() >= self._slack_fails:
            return self._in_process(call)
        match self._chance.choice(["limited", "down", "lost"]):
            case "limited":
                seconds = self._chance.choice([1, 3, 5, 30])
                self._limited_until[method] = now + seconds
                raise ChatRateLimited(seconds)
            case "lost":
                call()
        self._stage.clock.sleep(2)
        raise ChatUnavailable("timeout")

    def slots(self, method: str, call: Callable[[], Any]) -> Any:
        """Trouble with a slot, or with the marks of Stop, shows when somebody waits for it."""
        try:
            return self.ledger(method, call)
        except ServiceUnavailable as exc:
            trouble = exc
        is_awaited = method in ("take", "begin")
        return self._in_process(lambda: lambda: _raise(trouble)) if is_awaited else _raise(trouble)

    def ledger(self, method: str, call: Callable[[], Any]) -> Any:
        if self.over or self._chance.random() >= self._ledger_fails:
            return self._in_process(call)
        if method != "claim" and self._chance.random() < 0.5:
            call()
        raise ServiceUnavailable("down")

    def _in_process(self, call: Callable[[], Any]) -> Any:
        self._calls += 1
        at, has_effect = self._death or (0, False)
        dies = self._calls == at
        if dies and not has_effect:
            raise Killed
        result = call()
        if dies:
            raise Killed
        return result


def _raise(trouble: Exception) -> Any:
    raise trouble


class Subject:
    """A port whose calls are subject to luck."""

    def __init__(self, port: Any, luck: Callable[[str, Callable[[], Any]], Any]) -> None:
        self._port = port
        self._luck = luck

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)
        return lambda *args, **options: self._luck(name, lambda: method(*args, **options))


class Story:
    """A question: attempts, each of several deliveries, until luck is over."""

    def __init__(self, seed: int) -> None:
        self.stage = Stage()
        self.asked: list[int] = []
        self.said: dict[int, str] = {}
        self._chance = random.Random(seed)
        self._luck = Luck(self._chance, self.stage)
        self._style = self._chance.choice([Style.EDIT, Style.STREAM])
        self._attempt = TURN

    def play(self) -> None:
        for _ in range(self._chance.choice([1, 1, 2])):
            for _ in range(self._chance.randint(1, 4)):
                if self._chance.random() < 0.1:
                    self._luck.app_is_refused()
                self._deliver(gives_up=self._chance.random() < 0.05)
                self.stage.clock.sleep(self._chance.choice([0, 5, 61, 61]))
            if not self._offers_retry():
                break
            self._attempt = next_attempt(self._attempt)
        self._luck.over = True
        for _ in range(6):
            self.stage.clock.sleep(61)
            self._deliver()

    def _deliver(self, *, gives_up: bool = False) -> None:
        self._luck.new_process()
        stage = self.stage
        ports = Ports(
            chat=Subject(stage.chat, self._luck.slack),
            history=Subject(stage.history, self._luck.slack),
            ledger=Subject(stage.ledger, self._luck.ledger),
            audit=Subject(stage.audit, self._luck.ledger),
            slots=Subject(stage.slots, self._luck.slots),
            beside=self._chance.choice([at_once, when_waited_for]),
            stops=Subject(stage.stops, self._luck.slots),
            pauses=Subject(stage.pauses, self._luck.ledger),
            groups=stage.groups,
            kept=stage.kept,
            waiting=stage.waiting,
            clock=stage.clock,
            ticker=stage.ticker,
            lease_seconds=LEASE_SECONDS,
            notify_after=60.0,
        )
        delivery = stage.delivery(self._chance.choice([290.0, 290.0, 60.0]))
        agent = NotingAgent(stage.clock, self._script(), self._note)
        work = give_up if gives_up else answering(stage, agent, ReplyOptions(style=self._style))
        with suppress(Killed):
            handle(command_of(self._attempt), delivery, ports, work)

    def _script(self) -> list[Step]:
        """What an agent does that is asked now."""
        chance = self._chance
        script: list[Step] = []
        mishaps: list[Step] = [
            ToolUse("radar"),
            self._luck.slack_goes_down,
            self._luck.app_is_refused,
            lambda: self.stage.clock.sleep(LEASE_SECONDS + 1),
            lambda: self.stage.chat.frozen.update(self.stage.chat.messages),
        ]
        for _ in range(chance.randint(1, 6)):
            text = LONG_TEXT if chance.random() < 0.3 else chance.choice(TEXTS)
            script += [TextDelta(text), chance.choice(PAUSES)]
            if chance.random() < 0.2:
                script += [chance.choice(mishaps), 1.0]
        for number in range(chance.choice([0, 0, 0, 1, 2])):
            script.append(File(f"{self._attempt.attempt}-{number}.png", "image/png", b"png"))
        return [*script, Failed(Failure.CUT_OFF, "cut") if chance.random() < 0.3 else Finished()]

    def _note(self, says: str) -> None:
        self.asked.append(self._attempt.attempt)
        self.said[self._attempt.attempt] = says

    def _offers_retry(self) -> bool:
        record = self.stage.ledger.records.get(TURN.turn_id)
        is_over = record is not None and record.state in SETTLED
        return is_over and any(part.buttons for part in self.stage.chat.messages.values())


@pytest.mark.parametrize("volume", range(6))
def test_whatever_goes_wrong_in_whatever_order_one_outcome_stands(volume: int) -> None:
    for seed in range(volume * STORIES, (volume + 1) * STORIES):
        story = Story(seed)
        try:
            story.play()
            check_agent(story.stage, story.asked)
            check_settled(story.stage, story.said)
        except Exception as exc:
            exc.add_note(f"in the story of seed {seed}")
            raise
