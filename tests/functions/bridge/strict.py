"""A Slack that ends streams as the real one does, and answers that are streamed into it."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from functions.bridge.agents.events import Finished, TextDelta
from functions.bridge.ledger.record import SETTLED
from functions.bridge.markdown.tables import Table, in_parts
from functions.bridge.replies.chat import ChatRateLimited, ChatRefused, ChatUnavailable, Chunk, Message
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turn import Turn
from functions.bridge.turns.outcome import Outcome
from tests.functions.bridge import asking
from tests.functions.fakes import TURN, FakeChat, FakeClock, ScriptedAgent, Stage, Step

# What Slack itself takes: functions/bridge/replies/stream_style.py says who has measured it.
LIFETIME_SECONDS = 300.0
STREAM_BYTES = 11_000
MESSAGE_CHARACTERS = 12_000
# More than any answer here needs, so that all of it is in messages.
MOST_MESSAGES = 200
# In which ways Slack can refuse a stream, or say nothing about it.
REFUSALS = [
    "unknown_method",
    "feature_disabled",
    "missing_scope",
    "message_not_in_streaming_state",
    "msg_too_long",
    "streaming_mode_mismatch",
]
TROUBLE: list[Any] = [
    *[ChatRefused(code) for code in REFUSALS],
    ChatRateLimited(7),
    ChatUnavailable("503"),
    (ChatUnavailable("timeout"), "after"),
]


class StrictChat(FakeChat):
    """Ends streams for their age, refuses what is too long, and keeps what each call has sent.

    Attributes:
        latency: seconds that each call takes.
        before_each: called first in each call.
        longest: the oldest that a stream became, in seconds.
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.latency = 0.0
        self.before_each: Callable[[], None] = lambda: None
        self.longest = 0.0
        self.opened: dict[str, float] = {}
        self.chunks: list[Chunk] = []

    def start_stream(self, turn: Turn, chunk: Chunk) -> str:
        self._check(chunk)
        ts = super().start_stream(turn, chunk)
        self.opened[ts] = self._clock.now()
        return ts

    def append_stream(self, turn: Turn, ts: str, chunk: Chunk) -> None:
        self._check(chunk, ts)
        super().append_stream(turn, ts, chunk)

    def stop_stream(self, ts: str, message: Message, chunk: Chunk, *, goes_on: bool = False) -> None:
        self._check(chunk, ts)
        super().stop_stream(ts, message, chunk, goes_on=goes_on)

    def post(self, message: Message) -> str:
        assert message.markdown
        _check_message(message)
        return super().post(message)

    def edit(self, ts: str, message: Message) -> None:
        _check_message(message)
        super().edit(ts, message)

    def _check(self, chunk: Chunk, ts: str = "") -> None:
        self.chunks.append(chunk)
        said, titles = chunk.markdown, "".join(task.title for task in chunk.tasks)
        if ts in self.streams:
            # A stream whose start's answer got lost has no note of its beginning.
            age = self._clock.now() - self.opened.get(ts, self._clock.now())
            self.longest = max(self.longest, age)
            said = self.streams[ts].text + said
            if age > LIFETIME_SECONDS:
                self.messages[ts] = Message(self.streams[ts].turn, -1, self.streams.pop(ts).text)
        if len((said + titles).encode()) > STREAM_BYTES:
            raise ChatRefused("msg_too_long")
        if any(isinstance(piece, Table) for piece in in_parts(said)):
            raise ChatRefused("invalid_blocks")  # its Markdown makes too large a table

    def _do(self, method: str, text: str, effect: Callable[[], object]) -> None:
        self.before_each()
        self._clock.sleep(self.latency)
        super()._do(method, text, effect)
        self.before_each()


def _check_message(message: Message) -> None:
    pieces = list(in_parts(message.markdown))
    assert sum(len(piece) for piece in pieces if isinstance(piece, str)) <= MESSAGE_CHARACTERS
    assert sum(isinstance(piece, Table) for piece in pieces) <= 1


class StrictStage(Stage):
    def __init__(self) -> None:
        super().__init__()
        self.chat: StrictChat = StrictChat(self.clock)
        self.ports = replace(self.ports, chat=self.chat)


def take(
    stage: StrictStage,
    *script: Step,
    turn: Turn = TURN,
    agent: ScriptedAgent | None = None,
    seconds: float = 890.0,
    style: Style = Style.STREAM,
) -> Outcome:
    """A question that is answered in a style, within the fifteen minutes that Lambda gives at most."""
    options = ReplyOptions(style=style, max_messages=MOST_MESSAGES)
    return asking.take(stage, *script, turn=turn, agent=agent, seconds=seconds, options=options)


def deliver_until_settled(stage: StrictStage) -> None:
    """The queue delivers again, with a Slack and an agent in good health."""
    stage.chat.trouble.clear()
    stage.chat.before_each = lambda: None
    for _ in range(4):
        stage.clock.sleep(61)
        take(stage, TextDelta("not asked again"), Finished())
    assert stage.record.state in SETTLED


def words_of(stage: StrictStage) -> list[str]:
    """The numbered words of the thread, in order; where a cut or a source is in the middle of one, whole."""
    return re.findall(r"w\d+\.", "".join(stage.chat.texts()).replace(" [1]", ""))
