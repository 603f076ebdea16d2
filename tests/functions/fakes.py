"""Scripted and recording stand-ins for the bridge's ports. Time passes only when somebody waits."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from functions.bridge.admission.approvers import GroupUnreadable
from functions.bridge.admission.slots import (
    MINUTE,
    WAITING_SECONDS,
    Entries,
    Fairness,
    Full,
    Limit,
    Slot,
    attempt_of,
    entry,
    wait_for_minute,
)
from functions.bridge.admission.slots import (
    until as end_of,
)
from functions.bridge.agents.attachments import AttachmentUnavailable
from functions.bridge.agents.events import AgentEvent, Failed, File, Finished, ToolAnswer
from functions.bridge.agents.memory import USUAL, Memory
from functions.bridge.agents.port import Agent, Question
from functions.bridge.agents.routing import DEFAULT_AGENT, Agents, ConfiguredAgent
from functions.bridge.agents.tools import ToolCall, ToolResult
from functions.bridge.delivery import Delivery
from functions.bridge.ledger.pauses import Decided, Decision, Pause, Pending
from functions.bridge.ledger.record import (
    NOBODY,
    QUESTION_KEPT_SECONDS,
    SETTLED,
    Claim,
    Held,
    LeaseLost,
    Record,
    State,
    is_settled,
    settled,
    taken_over,
)
from functions.bridge.ledger.session import Session
from functions.bridge.ledger.stops import Press, Stop, StopWanted, ThreadMark
from functions.bridge.ledger.talk import Talk
from functions.bridge.ledger.waiting import Change, Edit, Noted
from functions.bridge.people import KNOWN_SECONDS, Home, Identity, Person
from functions.bridge.queue_commands import Ask, Retry, TurnCommand
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatRefused,
    Chunk,
    Found,
    Message,
    SessionStatus,
    Task,
)
from functions.bridge.turn import Attachment, Turn
from functions.bridge.turns.history import Page, Said
from functions.bridge.turns.ports import Ports

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


def next_attempt(turn: Turn) -> Turn:
    """The turn as a press on Retry names it: what was asked, the ledger knows."""
    return replace(turn, text="", files=(), mentioned=(), attempt=turn.attempt + 1)


def command_of(turn: Turn) -> TurnCommand:
    """What brings the turn: a question, or a press on Retry by who asked."""
    if turn.attempt == 1:
        return Ask(turn)
    return Retry(
        turn.team, turn.channel, turn.ts, turn.thread_ts, turn.user, turn.bot_user, attempt=turn.attempt
    )


T = TypeVar("T")


class FakeClock:
    def __init__(self) -> None:
        self.time = START
        self.ticks: list[Tick] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        end = self.time + seconds
        while (due := min(self.ticks, key=lambda tick: tick.due_at, default=None)) and due.due_at <= end:
            self.time = max(self.time, due.due_at)
            due.due_at += due.seconds
            due.call()
        self.time = max(self.time, end)


@dataclass(eq=False)
class Tick:
    """Something that is called each time that so many seconds have passed."""

    seconds: float
    call: Callable[[], None]
    due_at: float


class FakeTicker:
    """Calls while somebody waits by the clock."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock

    def every(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        tick = Tick(seconds, call, self._clock.time + seconds)
        self._clock.ticks.append(tick)
        return lambda: self._clock.ticks.remove(tick)


@dataclass
class FakeMessage:
    receipt: str = "receipt-1"
    hidden: list[float] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    def extend_visibility(self, seconds: float) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.hidden.append(seconds)


@dataclass
class FakeKeptMessages:
    woken: list[str] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    def wake(self, receipt: str) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.woken.append(receipt)


@dataclass
class FakeUserGroups:
    """Who is in which group; nobody can say it of the others."""

    people: dict[str, set[str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def members(self, group: str, *, team: str) -> frozenset[str]:
        self.asked.append((team, group))
        if group not in self.people:
            raise GroupUnreadable(f"Slack does not say who is in the user group {group} of {team}")
        return frozenset(self.people[group])


@dataclass
class FakeStream:
    """A message that is being streamed; what it says, and the tasks that it shows."""

    turn: Turn
    text: str = ""
    tasks: dict[str, Task] = field(default_factory=dict)

    def grow(self, chunk: Chunk) -> None:
        self.text += chunk.markdown
        self.tasks |= {task.id: task for task in chunk.tasks}


class FakeChat:
    """A thread. `trouble` scripts what the next calls of a method raise; None lets one pass.

    A `(exception, "after")` pair takes effect first and raises then: the answer got lost. While there is an
    `app_refusal`, every call raises that.
    """

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.messages: dict[str, Message] = {}
        self.streams: dict[str, FakeStream] = {}
        self.stopped: list[FakeStream] = []
        self.reactions: set[tuple[str, str]] = set()  # the messages that have one
        self.files: list[File] = []
        self.names: dict[str, str] = {}
        self.us = Identity(app="A1", bot_user="UBOT", team="T1")
        self.people: dict[str, Person] = {}
        self.places = {TURN.channel}  # where this process has written
        self.frozen: set[str] = set()  # messages that cannot be edited any more
        self.session = "active"  # as Slack shows it
        self.sessions = True  # whether Slack may take it
        self.calls: list[tuple[str, str]] = []
        self.trouble: dict[str, list[Exception | tuple[Exception, str] | None]] = {}
        self.app_refusal: ChatAppRefused | None = None

    def post(self, message: Message) -> str:
        ts = self._new_ts()
        self._do("post", message.markdown, lambda: self.messages.__setitem__(ts, message))
        self.places.add(message.turn.channel)
        return ts

    def edit(self, ts: str, message: Message) -> None:
        if ts not in self.messages and ts not in self.streams and not self.app_refusal:
            raise ChatRefused("message_not_found")
        self._do("edit", message.markdown, lambda: self._put(ts, message, "streaming_state_conflict"))

    def delete(self, turn: Turn, ts: str) -> None:
        def effect() -> None:
            if ts in self.streams:
                raise ChatRefused("cant_delete_message")
            if ts not in self.messages:
                raise ChatRefused("message_not_found")
            assert self.messages.pop(ts).turn.turn_id == turn.turn_id

        self._do("delete", "", effect)

    def post_ephemeral(self, channel: str, thread_ts: str, user: str, text: str) -> None:
        self._do("post_ephemeral", f"{channel}:{thread_ts} {user} {text}", lambda: None)

    def add_reaction(self, channel: str, ts: str, emoji: str) -> None:
        self._do("add_reaction", emoji, lambda: self.reactions.add((channel, ts)))

    def remove_reaction(self, channel: str, ts: str, emoji: str) -> None:
        self._do("remove_reaction", emoji, lambda: self.reactions.discard((channel, ts)))

    def mention(self, turn: Turn, text: str) -> None:
        self._do("mention", f"{turn.user} {text}", lambda: None)

    def set_status(self, turn: Turn, status: str) -> None:
        assert turn.channel
        self._do("set_status", status, lambda: self._set_session("processing" if status else "active"))
        self.places.add(turn.channel)

    def set_session(self, turn: Turn, status: SessionStatus) -> None:
        assert turn.thread_ts
        self._do("set_session", status, lambda: self._set_session(status))

    def has_sessions(self) -> bool:
        return self.sessions

    def start_stream(self, turn: Turn, chunk: Chunk) -> str:
        ts = self._new_ts()

        def effect() -> None:
            self.streams[ts] = FakeStream(turn)
            self.streams[ts].grow(chunk)
            self._set_session("processing")

        self._do("start_stream", chunk.markdown, effect)
        self.places.add(turn.channel)
        return ts

    def append_stream(self, turn: Turn, ts: str, chunk: Chunk) -> None:
        assert chunk.markdown or chunk.tasks, "Slack refuses this: no_text"
        self._do("append_stream", chunk.markdown, lambda: self._stream(ts, turn).grow(chunk))

    def stop_stream(self, ts: str, message: Message, chunk: Chunk, *, goes_on: bool = False) -> None:
        def effect() -> None:
            stream = self._stream(ts, message.turn)
            stream.grow(chunk)
            del self.streams[ts]
            self.stopped.append(stream)
            self.messages[ts] = replace(message, markdown=stream.text)
            self._set_session("processing" if goes_on else "active")

        self._do("stop_stream", chunk.markdown, effect)

    def expire(self) -> None:
        """What Slack does with streams that nobody stops."""
        for ts, stream in self.streams.items():
            self.messages[ts] = Message(stream.turn, -1, stream.text)
            self._set_session("active")
        self.streams.clear()

    def upload(self, turn: Turn, file: File) -> None:
        assert turn.thread_ts
        self._do("upload", file.name, lambda: self.files.append(file))

    def name_of(self, user: str) -> str:
        self._do("name_of", user, lambda: None)
        return self.names.get(user, user)

    def person(self, user: str) -> Person:
        self._do("person", user, lambda: None)
        return self.people.get(user, Person(Home("T1"), self.names.get(user, user)))

    def has_written_in(self, channel: str) -> bool:
        return channel in self.places

    def identity(self) -> Identity:
        self._do("identity", "", lambda: None)
        return self.us

    def find(self, turn: Turn) -> Found:
        self._do("find", "", lambda: None)
        messages = {
            message.number: ts
            for ts, message in self.messages.items()
            if message.turn.turn_id == turn.turn_id and message.number >= 0
        }
        expired = [ts for ts, message in self.messages.items() if message.number < 0]
        return Found(messages, (*self.streams, *expired))

    def texts(self) -> list[str]:
        """What the thread says now."""
        texts = {ts: message.markdown for ts, message in self.messages.items()}
        texts |= {ts: stream.text for ts, stream in self.streams.items()}
        return [texts[ts] for ts in sorted(texts, key=float)]

    def history(self, method: str) -> list[str]:
        return [text for name, text in self.calls if name == method]

    def _new_ts(self) -> str:
        microseconds = round(self._clock.now() * 1_000_000) + len(self.calls)
        return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06}"

    def _set_session(self, status: str) -> None:
        self.session = status

    def _stream(self, ts: str, turn: Turn) -> FakeStream:
        if ts not in self.streams:
            raise ChatRefused("message_not_in_streaming_state")
        assert self.streams[ts].turn.turn_id == turn.turn_id
        return self.streams[ts]

    def _put(self, ts: str, message: Message, conflict: str) -> None:
        if ts in self.streams:
            raise ChatRefused(conflict)
        if ts in self.frozen:
            raise ChatRefused("edit_window_closed")
        if not message.markdown:
            raise ChatRefused("invalid_blocks")
        self.messages[ts] = message

    def _do(self, method: str, text: str, effect: Callable[[], object]) -> None:
        if method != "identity":  # Slack is asked once for a token, before the first turn
            self.calls.append((method, text))
        if self.app_refusal:
            raise self.app_refusal
        script = self.trouble.get(method, [])
        trouble = script.pop(0) if script else None
        if trouble is None or isinstance(trouble, tuple):
            effect()
        if isinstance(trouble, tuple):
            raise trouble[0]
        if trouble is not None:
            raise trouble


class FakeHistory:
    """A thread as Slack tells it, in pages of `page_size`; each of them repeats the first message."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.page_size = 1_000
        self.trouble: list[Exception] = []
        self.asked: list[str] = []  # after which ts, for each call

    def page(self, turn: Turn, *, after: str, cursor: str = "") -> Page:
        self.asked.append(after)
        if self.trouble:
            raise self.trouble.pop(0)
        first = [said for said in self.said if said.ts == turn.thread_ts]
        within = [said for said in self.said if after < said.ts < turn.ts and said not in first]
        start = int(cursor or 0)
        end = start + self.page_size
        return Page((*first, *within[start:end]), str(end) if end < len(within) else "")


class FakeAttachments:
    """`contents` by address; what is not there cannot be fetched."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def fetch(self, attachment: Attachment) -> bytes:
        if attachment.url not in self.contents:
            raise AttachmentUnavailable("Slack answered HTTP 302")
        return self.contents[attachment.url]


class FakeAudit:
    """`trouble` scripts what the next writes raise."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.trouble: list[Exception] = []

    def write(self, record: Mapping[str, object]) -> None:
        if self.trouble:
            raise self.trouble.pop(0)
        self.records.append(json.loads(json.dumps(record)))


class FakeLedger:
    """The ledger's rules in a dictionary. `adapters/aws/test_ledger.py` holds both to them."""

    def __init__(self, clock: FakeClock) -> None:
        self.records: dict[str, Record] = {}
        self.stops: dict[str, tuple[int, Stop]] = {}
        self.decisions: dict[str, Decision] = {}  # by the pause's id
        self.receipts: dict[str, str] = {}
        self.leases: dict[str, float] = {}
        self.questions: dict[str, tuple[Turn, float]] = {}
        self.agents: dict[str, str] = {}
        self.talks: dict[str, Talk] = {}
        self.sessions: dict[tuple[str, str], Session] = {}
        self.writes: list[tuple[str, Record]] = []
        self.trouble: dict[str, list[Exception]] = {}
        self._clock = clock

    def claim(self, turn: Turn, *, owner: str, now: float, lease_seconds: float) -> Claim:
        if script := self.trouble.get("claim"):
            raise script.pop(0)
        found = self.records.get(turn.turn_id)
        if found is None:
            fresh = Record(turn.turn_id, turn.attempt, State.RECEIVED, owner, began_at=now, is_new=True)
            self.records[turn.turn_id] = replace(fresh, intended=1, is_new=False)
            self.leases[turn.turn_id] = now + lease_seconds
            return fresh
        if is_settled(found, turn):
            return settled(found, turn)
        if (found.owner, found.attempt) == (owner, turn.attempt):
            return found
        if found.state not in SETTLED and self.leases[turn.turn_id] > now:
            return Held(self.leases[turn.turn_id] - now)
        record = taken_over(found, turn, owner, now)
        self.records[turn.turn_id] = record
        self.leases[turn.turn_id] = now + lease_seconds
        stop, decision = self.stop_of(turn.turn_id, record.attempt), self.decision_of(record)
        return replace(record, stop=stop, decision=decision)

    def stop_of(self, turn_id: str, attempt: int) -> Stop | None:
        stopped, stop = self.stops.get(turn_id, (0, None))
        return stop if stopped == attempt else None

    def decision_of(self, record: Record) -> Decision | None:
        return self.decisions.get(record.pause.id) if record.pause else None

    def keep_question(self, turn: Turn) -> None:
        self.questions[turn.turn_id] = (turn, self._clock.now() + QUESTION_KEPT_SECONDS)

    def question(self, turn: Turn) -> Turn | None:
        if script := self.trouble.get("question"):
            raise script.pop(0)
        kept, until = self.questions.get(turn.turn_id, (None, 0.0))
        return kept if until > self._clock.now() else None

    def forget_question(self, turn: Turn) -> None:
        self.questions.pop(turn.turn_id, None)

    def agent_of(self, thread_id: str) -> str | None:
        if script := self.trouble.get("agent_of"):
            raise script.pop(0)
        return self.agents.get(thread_id)

    def keep_agent(self, thread_id: str, name: str, *, user: str = "", ts: str = "") -> None:
        if script := self.trouble.get("keep_agent"):
            raise script.pop(0)
        self.agents[thread_id] = name
        if user:
            known = self.talk(thread_id)
            self.talks[thread_id] = replace(known, asked={**known.asked, user: ts})

    def talk(self, thread_id: str) -> Talk:
        if script := self.trouble.get("talk"):
            raise script.pop(0)
        return self.talks.get(thread_id, Talk())

    def mute(self, thread_id: str, *, is_muted: bool) -> None:
        self.talks[thread_id] = replace(self.talk(thread_id), is_muted=is_muted)

    def session(self, thread_id: str, person: str) -> Session:
        if script := self.trouble.get("session"):
            raise script.pop(0)
        return self.sessions.get((thread_id, person), Session())

    def keep_seen(self, thread_id: str, person: str, *, seen: str, at: float) -> None:
        if script := self.trouble.get("keep_seen"):
            raise script.pop(0)
        known = self.sessions.get((thread_id, person), Session())
        if known.seen <= seen:
            self.sessions[thread_id, person] = replace(known, seen=seen, seen_at=at)

    def begin_session(self, thread_id: str, person: str, *, began: str) -> None:
        known = self.sessions.get((thread_id, person), Session())
        if known.began <= began:
            self.sessions[thread_id, person] = replace(known, began=began)

    def renew(self, record: Record, *, until: float) -> None:
        self._check("renew", record)
        self.leases[record.turn_id] = until

    def release(self, record: Record) -> None:
        self._check("release", record)
        self.leases[record.turn_id] = 0.0
        self.records[record.turn_id] = replace(
            self.records[record.turn_id], tries=record.tries, intended=record.intended
        )

    def start(self, record: Record) -> None:
        self._check("start", record)
        if stop := self.stop_of(record.turn_id, record.attempt):
            raise StopWanted(stop)
        self.records[record.turn_id] = replace(record, pause=None)

    def advance(self, record: Record) -> None:
        self._check("advance", record)
        found = self.records[record.turn_id]
        self.records[record.turn_id] = replace(record, owed=found.owed, rest=found.rest, ending=found.ending)

    def owe(self, record: Record) -> None:
        self._check("owe", record)
        self.records[record.turn_id] = record

    def settle(self, record: Record) -> None:
        self._check("settle", record)
        self.records[record.turn_id] = replace(record, owed=(), rest="", ending=None, pause=None, edit=None)

    def wait(self, record: Record, *, receipt: str) -> None:
        self._check("wait", record)
        self.records[record.turn_id] = record
        self.receipts[record.turn_id] = receipt
        self.leases[record.turn_id] = 0.0

    def now(self) -> float:
        return self._clock.now()

    def _check(self, name: str, record: Record) -> None:
        if script := self.trouble.get(name):
            raise script.pop(0)
        found = self.records[record.turn_id]
        if (found.owner, found.attempt) != (record.owner, record.attempt):
            raise LeaseLost("held by somebody else")
        self.writes.append((name, record))


class FakePauses:
    """The ledger's pauses. `adapters/aws/test_pauses.py` holds both to the same rules."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.trouble: dict[str, list[Exception]] = {}
        self._ledger = ledger

    def of_turn(self, turn_id: str, attempt: int) -> Pending | None:
        if script := self.trouble.get("of_turn"):
            raise script.pop(0)
        return self._pending(turn_id, attempt)

    def past_decision(self, turn_id: str, attempt: int, pause_id: str) -> Decision | None:
        record = self._ledger.records.get(turn_id)
        decision = self._ledger.decisions.get(pause_id) if record and record.attempt == attempt else None
        return replace(decision, reason="") if decision else None

    def decide(self, turn_id: str, attempt: int, pause: Pause, decision: Decision) -> Pending | None:
        if script := self.trouble.get("decide"):
            raise script.pop(0)
        found = self._pending(turn_id, attempt)
        if found is None or found.pause.id != pause.id:
            return None
        is_in_time = decision.at < pause.until and not self._ledger.stop_of(turn_id, attempt)
        if found.decision is None and (decision.decided is Decided.EXPIRED or is_in_time):
            self._ledger.decisions[pause.id] = decision
        return self._pending(turn_id, attempt)

    def _pending(self, turn_id: str, attempt: int) -> Pending | None:
        record = self._ledger.records.get(turn_id)
        if record is None or record.pause is None or record.attempt != attempt:
            return None
        waits = record.state is State.WAITING
        return Pending(
            record.pause,
            self._ledger.decision_of(record),
            self._ledger.receipts[turn_id] if waits else "",
            record.reply,
            record.base if waits else None,
        )


class FakeTools:
    """Functions that are tools, by their ARNs: each says what it is scripted to say."""

    def __init__(self) -> None:
        self.results: dict[str, ToolResult] = {}
        self.calls: list[ToolCall] = []

    def call(self, call: ToolCall, *, timeout: float) -> ToolResult:
        assert timeout > 0
        self.calls.append(call)
        return self.results[call.function]


class FakeStops:
    """Marks in dictionaries. `adapters/aws/test_stops.py` holds both to the same rules.

    Attributes:
        threads: what stands with each thread.
        obeyed_ts: the ts of the last mark of a thread that was obeyed.
    """

    def __init__(self, ledger: FakeLedger) -> None:
        self.threads: dict[str, ThreadMark] = {}
        self.obeyed_ts: dict[str, str] = {}
        self.trouble: dict[str, list[Exception]] = {}
        self._left: dict[str, str] = {}
        self._ledger = ledger

    def mark_thread(self, thread_id: str, stop: Stop) -> bool:
        self._check("mark_thread")
        if self._left.get(thread_id, "") >= stop.ts:
            return False
        self._left[thread_id] = stop.ts
        self.threads[thread_id] = replace(self._thread(thread_id), stop=stop)
        return True

    def mark_turn(self, turn_id: str, attempt: int, message_ts: str, stop: Stop) -> Press:
        self._check("mark_turn")
        record = self._ledger.records.get(turn_id)
        if not record or record.attempt != attempt or not _is_at_work(record):
            return Press.OVER
        if message_ts not in record.reply and record.intended <= len(record.reply):
            return Press.ELSEWHERE
        if self._ledger.stop_of(turn_id, attempt):
            return Press.TWICE
        self._ledger.stops[turn_id] = (attempt, stop)
        return Press.TAKEN

    def of_thread(self, thread_id: str) -> ThreadMark:
        self._check("of_thread")
        return self._thread(thread_id)

    def marks(
        self,
        turn_id: str,
        attempt: int,
        thread_id: str,
        *,
        newest: bool,  # noqa: ARG002 - a dictionary is never late
    ) -> tuple[Stop | None, ThreadMark]:
        self._check("marks")
        return self._ledger.stop_of(turn_id, attempt), self._thread(thread_id)

    def begin(
        self, thread_id: str, *, turn_id: str, attempt: int, began_at: float
    ) -> Callable[[], ThreadMark]:
        if script := self.trouble.get("begin"):
            trouble = script.pop(0)
            return lambda: self._raise(trouble)
        mark = self.threads[thread_id] = ThreadMark(self._thread(thread_id).stop, began_at, turn_id, attempt)
        return lambda: mark

    def obeyed(self, thread_id: str, stop: Stop) -> None:
        self._check("obeyed")
        self.obeyed_ts[thread_id] = max(stop.ts, self.obeyed_ts.get(thread_id, ""))

    def _thread(self, thread_id: str) -> ThreadMark:
        mark = self.threads.get(thread_id, ThreadMark())
        is_obeyed = mark.stop and self.obeyed_ts.get(thread_id, "") >= mark.stop.ts
        return replace(mark, stop=None) if is_obeyed else mark

    def _check(self, name: str) -> None:
        if script := self.trouble.get(name):
            raise script.pop(0)

    def _raise(self, trouble: Exception) -> ThreadMark:
        raise trouble


class FakeWaiting:
    """Notes in the ledger's records. `adapters/aws/test_waiting.py` holds both to the same rules."""

    def __init__(self, ledger: FakeLedger) -> None:
        self.trouble: dict[str, list[Exception]] = {}
        self.edited_ts: dict[str, str] = {}
        self.late_edits: set[tuple[str, int]] = set()
        self._ledger = ledger

    def note_hourglass(self, turn_id: str) -> Noted:
        self._check("note_hourglass")
        found = self._ledger.records.get(turn_id)
        if found and found.owner != NOBODY:
            return Noted.BEFORE if found.has_hourglass else Noted.NOT
        unclaimed = found or Record(turn_id, 1, State.RECEIVED, NOBODY, tries=0)
        self._ledger.records[turn_id] = replace(unclaimed, has_hourglass=True)
        self._ledger.leases[turn_id] = 0.0
        return Noted.NOW

    def is_claimed(self, turn_id: str) -> bool:
        self._check("is_claimed")
        found = self._ledger.records.get(turn_id)
        return found is not None and found.owner != NOBODY

    def edit(self, turn_id: str, edit: Edit) -> Change:
        self._check("edit")
        found = self._ledger.records.get(turn_id) or Record(turn_id, 1, State.RECEIVED, NOBODY, tries=0)
        if not _is_at_work(found) or self.edited_ts.get(turn_id, "") >= edit.ts:
            return Change.OVER
        self.edited_ts[turn_id] = edit.ts
        lease_until = self._ledger.leases.setdefault(turn_id, 0.0)
        if found.state is State.RECEIVED and lease_until <= self._ledger.now():
            self._ledger.records[turn_id] = replace(found, edit=edit)
            return Change.TAKEN
        self.late_edits.add((turn_id, found.attempt))
        return Change.TOO_LATE

    def take_back(self, turn_id: str, stop: Stop) -> Change:
        self._check("take_back")
        found = self._ledger.records.get(turn_id) or Record(turn_id, 1, State.RECEIVED, NOBODY, tries=0)
        if found.state is not State.RECEIVED:
            return Change.OVER
        if found.owner == NOBODY:
            self._ledger.records[turn_id] = replace(found, state=State.STOPPED, edit=None)
            self._ledger.leases[turn_id] = 0.0
            return Change.TAKEN
        self._ledger.stops[turn_id] = (found.attempt, stop)
        return Change.TOO_LATE

    def was_edited(self, turn_id: str, attempt: int) -> bool:
        self._check("was_edited")
        return (turn_id, attempt) in self.late_edits

    def _check(self, name: str) -> None:
        if script := self.trouble.get(name):
            raise script.pop(0)


def _is_at_work(record: Record) -> bool:
    at_work = record.state in (State.RECEIVED, State.STARTED, State.WAITING)
    return at_work or record.ending is State.WAITING


def _is_of(turn: Turn, entry: str) -> bool:
    return entry.startswith(attempt_of(turn))


class FakeSlots:
    """The rules of slots in dictionaries. `adapters/aws/test_slots.py` holds both to them.

    Attributes:
        running: by person or channel, the entries of what runs.
        asked: by person, the entries of the questions of the last minute.
        waiting: by person, who waits: the attempts, each with its entry.
        people: who is known, and until when.
        trouble: what the next calls of a method raise.
    """

    def __init__(self, clock: FakeClock, fairness: Fairness = Fairness()) -> None:  # noqa: B008 - frozen
        self.running: dict[str, set[str]] = {}
        self.asked: dict[str, set[str]] = {}
        self.waiting: dict[str, dict[str, str]] = {}
        self.people: dict[str, tuple[Person, float]] = {}
        self.trouble: dict[str, list[Exception]] = {}
        self.fairness = fairness
        self._clock = clock

    def take(self, turn: Turn, *, now: float, until: float, is_new: bool) -> Callable[[], Slot]:
        if script := self.trouble.get("take"):
            trouble = script.pop(0)
            return lambda: self._raise(trouble)
        slot = self._take(turn, now, until, is_new=is_new)
        return lambda: slot

    def wait(self, turn: Turn, slot: Slot, *, now: float, is_told: bool) -> Full | None:  # noqa: ARG002
        if script := self.trouble.get("wait"):
            raise script.pop(0)
        name, person = f"{turn.turn_id}#{turn.attempt}", f"{turn.team}:{turn.user}"
        waiting = {who: one for who, one in self.waiting.get(person, {}).items() if end_of(one) > now}
        self.waiting[person] = waiting
        if not is_told and name not in waiting and len(waiting) >= self.fairness.waiting_per_user:
            return Full(Limit.WAITING, self.fairness.waiting_per_user)
        waiting[name] = entry(turn, now + WAITING_SECONDS)
        return None

    def clear_earlier(self, turn: Turn, slot: Slot) -> None:
        if script := self.trouble.get("clear_earlier"):
            raise script.pop(0)
        self.waiting.get(f"{turn.team}:{turn.user}", {}).pop(f"{turn.turn_id}#{turn.attempt}", None)
        for held in slot.held:
            earlier = [one for one in held.running if _is_of(turn, one) and one != held.own]
            self.running.get(held.key, set()).difference_update(earlier)

    def give_back(self, turn: Turn, slot: Slot, *, learned: Person | None, forget: bool) -> None:
        if script := self.trouble.get("give_back"):
            raise script.pop(0)
        for held in slot.held:
            earlier = [] if forget else [one for one in held.running if _is_of(turn, one)]
            self.running.get(held.key, set()).difference_update([held.own, *earlier])
            if forget:
                self.asked.get(held.key, set()).discard(held.own_asked)
        if learned is not None:
            self.people[f"{turn.team}:{turn.user}"] = (learned, self._clock.now() + KNOWN_SECONDS)

    def free(self, turn: Turn) -> None:
        if script := self.trouble.get("free"):
            raise script.pop(0)
        person = f"{turn.team}:{turn.user}"
        self.waiting.get(person, {}).pop(f"{turn.turn_id}#{turn.attempt}", None)
        for key in (person, f"{turn.team}:{turn.channel}"):
            entries = self.running.get(key, set())
            entries.difference_update([one for one in entries if _is_of(turn, one)])

    def holders(self) -> set[str]:
        """The attempts that have a slot now."""
        now = self._clock.now()
        running = {one for held in self.running.values() for one in held if end_of(one) > now}
        return {one.rpartition("@")[0] for one in running}

    def _take(self, turn: Turn, now: float, until: float, *, is_new: bool) -> Slot:
        person, channel = f"{turn.team}:{turn.user}", f"{turn.team}:{turn.channel}"
        known, known_until = self.people.get(person, (None, 0.0))
        asked = {one for one in self.asked.get(person, set()) if end_of(one) > now}
        full: Full | None = None
        held: list[Entries] = []
        own_asked = ""
        if is_new and len(asked) >= self.fairness.questions_per_minute:
            most = self.fairness.questions_per_minute
            full = Full(Limit.MINUTE, most, wait_for_minute(asked, most, now))
        elif is_new:
            asked.add(own_asked := entry(turn, now + MINUTE))
        self.asked[person] = asked
        waiting = frozenset(self.waiting.get(person, {}).values())
        own = "" if full else self._enter(person, turn, now, until, self.fairness.running_per_user)
        if own or own_asked:
            running = frozenset(self.running.get(person, set()))
            held.append(Entries("person", person, running, waiting=waiting, own=own, own_asked=own_asked))
        if not own:
            full = full or Full(Limit.PERSON, self.fairness.running_per_user)
        elif not turn.channel.startswith("D"):
            own = self._enter(channel, turn, now, until, self.fairness.running_per_channel)
            if own:
                held.append(Entries("channel", channel, frozenset(self.running[channel]), own=own))
            else:
                full = full or Full(Limit.CHANNEL, self.fairness.running_per_channel)
        return Slot(known if known_until > now else None, full, tuple(held), waiting)

    def _enter(self, key: str, turn: Turn, now: float, until: float, most: int) -> str:
        running = {one for one in self.running.get(key, set()) if end_of(one) > now}
        self.running[key] = running
        if len(running) >= most and not any(_is_of(turn, one) for one in running):
            return ""
        running.add(own := entry(turn, until))
        return own

    def _raise(self, trouble: Exception) -> Slot:
        raise trouble


Step = AgentEvent | float | Callable[[], None]


class ScriptedRun:
    """Says its script: events, pauses in seconds, and things that happen meanwhile."""

    ENOUGH = 128  # events that are gathered at once

    def __init__(self, steps: Sequence[Step], clock: FakeClock) -> None:
        self._steps = list(steps)
        self._clock = clock
        self.cancelled = False
        self._has_ended = False
        self.ends_session = False
        self.looked = 0  # how often somebody waited for events
        self.session_stopped_at: float | None = None
        self.trouble = ""  # why the session cannot be ended
        self.takes = 0.0  # seconds, to end the session
        self.waited_for_at: float | None = None

    def next(self, timeout: float) -> AgentEvent | None:
        self.looked += 1
        return self._next(timeout)

    def gather(self, timeout: float) -> list[AgentEvent]:
        self.looked += 1
        end = self._clock.now() + timeout
        gathered: list[AgentEvent] = []
        while len(gathered) < self.ENOUGH and (event := self._next(max(0.0, end - self._clock.now()))):
            gathered.append(event)
        return gathered

    def _next(self, timeout: float) -> AgentEvent | None:
        while self._steps and not self._over():
            step = self._steps[0]
            if isinstance(step, float):
                waited = self._sleep(min(step, timeout))
                self._steps[0] = step - waited
                if step > timeout or self._over():
                    return None
                timeout -= waited
                self._steps.pop(0)
            elif callable(step):
                self._steps.pop(0)
                step()
            else:
                self._steps.pop(0)
                self._has_ended = isinstance(step, Finished | Failed)
                return step
        self._sleep(timeout)
        return None

    def _over(self) -> bool:
        return self.cancelled or self._has_ended

    def _sleep(self, seconds: float) -> float:
        """Wait, no longer than until the run is over. Returns how long that was."""
        began_at, end = self._clock.now(), self._clock.now() + seconds
        while not self._over() and (left := end - self._clock.now()) > 0:
            ticks = [tick.due_at - self._clock.now() for tick in self._clock.ticks]
            self._clock.sleep(min([left, *(max(0.0, due) for due in ticks)]))
        return self._clock.now() - began_at

    def cancel(self) -> None:
        self.cancelled = True

    def stop_session(self) -> None:
        self.session_stopped_at = self._clock.now()

    def session_trouble(self, timeout: float) -> str:
        assert self.session_stopped_at is not None
        self.waited_for_at = self._clock.now()
        left = self.session_stopped_at + self.takes - self._clock.now()
        self._clock.sleep(max(0.0, min(left, timeout)))
        return self.trouble if left <= timeout else "not in time"


class ScriptedAgent:
    """Runs one script after the other, the last one again and again."""

    def __init__(self, clock: FakeClock, *scripts: Sequence[Step]) -> None:
        self._clock = clock
        self._scripts = list(scripts)
        self.questions: list[Question] = []
        self.answers: list[tuple[Question, tuple[ToolAnswer, ...]]] = []  # that it went on with
        self.runs: list[ScriptedRun] = []

    def ask(self, question: Question) -> ScriptedRun:
        self.questions.append(question)
        return self._run()

    def resume(self, question: Question, answers: Sequence[ToolAnswer]) -> ScriptedRun:
        self.answers.append((question, tuple(answers)))
        return self._run()

    def _run(self) -> ScriptedRun:
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        self.runs.append(ScriptedRun(script, self._clock))
        return self.runs[-1]


def at_once(call: Callable[[], T]) -> Callable[[], T]:
    """Runs what is to run beside something before it, the same each time."""
    try:
        result = call()
    except Exception as exc:  # noqa: BLE001 - the caller waits for it
        trouble = exc
    else:
        return lambda: result

    def fail() -> T:
        raise trouble

    return fail


def when_waited_for(call: Callable[[], T]) -> Callable[[], T]:
    """Runs what is to run beside something when its result is waited for: as late as that can be."""
    waiting = cache(lambda: at_once(call))
    return lambda: waiting()()


class Stage:
    """Everything that a turn needs, put together for a test."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.chat = FakeChat(self.clock)
        self.history = FakeHistory()
        self.ledger = FakeLedger(self.clock)
        self.stops = FakeStops(self.ledger)
        self.pauses = FakePauses(self.ledger)
        self.groups = FakeUserGroups()
        self.tools = FakeTools()
        self.kept = FakeKeptMessages()
        self.waiting = FakeWaiting(self.ledger)
        self.ticker = FakeTicker(self.clock)
        self.slots = FakeSlots(self.clock)
        # Whoever asks has asked before on this day.
        self.slots.people["T1:U1"] = (Person(Home("T1")), START + KNOWN_SECONDS)
        self.message = FakeMessage()
        self.attachments = FakeAttachments()
        self.audit = FakeAudit()
        self.ports = Ports(
            chat=self.chat,
            history=self.history,
            ledger=self.ledger,
            audit=self.audit,
            slots=self.slots,
            stops=self.stops,
            pauses=self.pauses,
            kept=self.kept,
            groups=self.groups,
            waiting=self.waiting,
            clock=self.clock,
            beside=at_once,
            ticker=self.ticker,
            lease_seconds=60.0,
            notify_after=60.0,
        )
        self._deliveries = 0

    def delivery(self, seconds: float = 290.0) -> Delivery:
        self._deliveries += 1
        return Delivery(self.message, f"request-{self._deliveries}", self.clock.now() + seconds)

    @property
    def record(self) -> Record:
        return self.ledger.records[TURN.turn_id]


def only(agent: Agent, memory: Memory = USUAL) -> Agents:
    """A bridge with one agent."""
    return Agents({DEFAULT_AGENT: ConfiguredAgent(agent, memory=memory)}, {})
