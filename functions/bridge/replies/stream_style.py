"""The style in which Slack itself streams: messages that only grow, under a status instead of a placeholder.

A stream ends after five minutes or some 11,000 bytes, although Slack's pages name other limits, and refuses
every call from then on. This style goes on in a new message before that.
github.com/slackapi/python-slack-sdk/issues/1859, github.com/vercel/chat/pull/884,
github.com/CopilotKit/CopilotKit/issues/6063
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from functions.bridge import wording
from functions.bridge.clock import Clock
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import State
from functions.bridge.markdown.split import Cut, Pages, Structure, end_of_data_table, ended
from functions.bridge.replies.chat import (
    Chat,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
    Chunk,
    Message,
    Task,
    TaskStatus,
)
from functions.bridge.replies.edit_style import EditStyle
from functions.bridge.replies.reply import Reply
from functions.bridge.replies.stream_position import StreamPosition
from functions.bridge.replies.thread_messages import ThreadMessages
from functions.bridge.replies.thread_status import ThreadStatus

# Bytes of UTF-8. A message ends with the first block that ends after ENOUGH_BYTES. It never has more than
# MOST_BYTES.
ENOUGH_BYTES = 6_000
MOST_BYTES = 9_000
# The age, in seconds, at which a stream is ended and the next one begun.
LONGEST_LIFE = 240.0
# Seconds after which a status is set again. Slack takes it away after two minutes:
# docs.slack.dev/reference/methods/assistant.threads.setStatus
STATUS_SECONDS = 90.0


@dataclass
class _Stream:
    """A message that grows.

    Attributes:
        number: which message of the reply it is.
        opened_at: seconds since the epoch.
        spent: bytes of Slack's limit that its tasks have used.
    """

    ts: str
    number: int
    opened_at: float
    spent: int = 0

    def is_old(self, now: float) -> bool:
        return now >= self.opened_at + LONGEST_LIFE


class StreamStyle:
    """Shows an answer by streaming its messages. See `functions.bridge.replies.writer.Progress`.

    Args:
        edits: goes on where Slack refuses a stream, or when nobody knows what a stream has taken.
        most_messages: how many messages an answer has at most; the rest becomes a file.
    """

    def __init__(
        self,
        claimed: ClaimedTurn,
        chat: Chat,
        clock: Clock,
        messages: ThreadMessages,
        status: ThreadStatus,
        edits: EditStyle,
        *,
        most_messages: int,
    ) -> None:
        self._claimed = claimed
        self._chat = chat
        self._clock = clock
        self._messages = messages
        self._status = status
        self._edits = edits
        self._most = most_messages
        self._streams = False
        self._open: _Stream | None = None
        self._position = StreamPosition()
        self._reply: Reply | None = None
        self._tasks: dict[str, Task] = {}
        self._status_said = ("", float("-inf"))

    @property
    def shows_answer(self) -> bool:
        return self._edits.shows_answer  # one answer for both: edits go on where streaming ends

    def begin(self) -> None:
        """The status is one call, which is made while the agent works.

        A later attempt goes into the messages of the one before, which cannot be streamed into.
        """
        record = self._claimed.record
        self._streams = len(record.reply) == record.base

    def join(self) -> None:
        """Nothing has been begun."""

    def wait(self, words: str) -> None:
        if self._open and self._open.is_old(self._clock.now()):
            self._or_edit(lambda: self._end(self._cut_here(self._position)))
        if self._streams and self._open is None:
            self._say_that_we_wait(words)
        if not self._streams:
            self._edits.wait(words)

    def show(self, reply: Reply) -> None:
        self._reply = reply
        if self._streams and self._or_edit(lambda: self._grow(reply)) is not None:
            self._edits.shows_answer = self._edits.shows_answer or self._position.sent > 0
        else:
            self._edits.show(reply)

    def pages(self, text: str) -> tuple[list[str], str]:
        if not self._position.goes_on_as(text):
            return self._edits.pages(text)
        position = self._position.grown_to(text)
        cut = self._cut(position) if self._open else None
        if cut:
            position = position.after(cut)
        if self._open and not cut:
            return [*position.ended, position.message_text], ""
        if not position.text[position.past :].strip():
            return ([*position.ended], "") if position.ended else self._edits.pages(text)
        if len(position.ended) >= self._most:
            return [*position.ended], position.message_text
        pages = Pages(most=self._most - len(position.ended))
        return [*position.ended, *pages.of(position.message_text)], pages.rest

    def finish(self, owed: Sequence[Message]) -> None:
        if self._open:
            self._finish(self._open, owed)
            self._open = None

    def _say_that_we_wait(self, words: str) -> None:
        said, at = self._status_said
        if words != said or self._clock.now() >= at + STATUS_SECONDS:
            self._status_said = (words, self._clock.now())
            try:
                self._status.try_set(words)
            except ChatRefused:
                self._streams = False

    def _or_edit(self, attempt: Callable[[], bool]) -> bool | None:
        """What `attempt` returns; None when it failed and streaming is over for this turn.

        After a lost answer nobody knows what the stream has taken, and after most refusals it takes nothing
        more. An edit puts both right. A workspace may open some 20 streams a minute; where that is used up,
        the first text is edited in rather than held back.
        """
        try:
            return attempt()
        except ChatStopped:
            raise
        except ChatError as exc:
            if isinstance(exc, ChatRateLimited) and self._open:
                raise
            self._streams, self._open = False, None
            return None

    def _grow(self, reply: Reply) -> bool:
        """Send what is new of the reply. Returns whether there was anything."""
        text = reply.steady().rstrip()
        if not self._position.goes_on_as(text):
            raise ChatUnavailable("not asked: what was streamed has changed")
        self._position = self._position.grown_to(text)
        tasks = self._news_of(reply)
        if self._position.sent == len(self._position.text) and not tasks:
            return False
        while len(self._position.ended) < self._most:
            cut = self._cut(self._position)
            if cut and self._open is None and end_of_data_table(self._position.message_text) is not None:
                self._post_data_table(cut)
            else:
                self._write(cut, tasks)
                tasks = ()
            if self._position.sent == len(self._position.text):
                break
        return True

    def _write(self, cut: Cut | None, tasks: tuple[Task, ...]) -> None:
        """Send what is missing of the message, and end it at `cut` if there is one."""
        self._messages.try_check_lease()
        position = self._position
        end = cut.at if cut else len(position.message_text)
        if self._open is None:
            self._start(Chunk(position.message_text[:end], tasks))
        elif cut is None:
            self._chat.append_stream(
                self._claimed.turn, self._open.ts, Chunk(position.message_text[position.written : end], tasks)
            )
            self._note(tasks)
        else:
            self._end(cut, tasks)
            return
        self._position = replace(position, sent=position.past + end - len(position.reopen))
        if cut:
            self._end(cut)

    def _post_data_table(self, cut: Cut) -> None:
        """Post the message that ends at `cut`. A stream takes no such table as text.

        Slack's pages contradict each other about whether it takes one as a block:
        docs.slack.dev/ai/developing-agents, docs.slack.dev/reference/methods/chat.appendStream
        """
        self._messages.try_check_lease()
        text = ended(self._position.message_text, cut)
        self._messages.try_write(Message(self._claimed.turn, len(self._claimed.record.reply), text))
        self._position = self._position.after(cut)

    def _start(self, chunk: Chunk) -> None:
        def start() -> str:
            self._status.seems_busy = True
            return self._chat.start_stream(self._claimed.turn, chunk)

        number, ts = self._messages.try_start(chunk.markdown, start)
        self._open = _Stream(ts, number, self._clock.now())
        self._note(chunk.tasks)

    def _end(self, cut: Cut, tasks: tuple[Task, ...] = ()) -> bool:
        """Send what is missing of the message up to `cut`, and stop it there."""
        assert self._open is not None
        self._messages.try_check_lease()
        position, stream = self._position, self._open
        if not ended(position.message_text, cut):
            # Once its tasks are gone, Slack takes no message without text.
            cut = replace(cut, close=wording.NOTHING_YET)
        message = Message(self._claimed.turn, stream.number, ended(position.message_text, cut))
        rest = position.message_text[position.written : cut.at].rstrip() + cut.close
        tasks = (*tasks, *self._over(TaskStatus.COMPLETE, besides=tasks))
        self._chat.stop_stream(stream.ts, message, Chunk(rest, tasks), goes_on=True)
        self._note(tasks)
        self._messages.stream_ended_as(message)
        self._open, self._position = None, position.after(cut)
        return True

    def _finish(self, stream: _Stream, owed: Sequence[Message]) -> None:
        """Let the open stream become the owed message of its number, if it says the beginning of that."""
        standing = self._position.message_text[: self._position.written]
        message = next((message for message in owed if message.number == stream.number), None)
        if message is None or not message.markdown.startswith(standing):
            return
        waits = self._claimed.record.ending is State.WAITING
        answered = waits or self._claimed.record.ending is State.ANSWERED
        # Tasks that began and ended since progress was last shown, and the one at which the agent ended.
        unseen = self._news_of(self._reply) if answered and self._reply else ()
        tasks = unseen or self._over(TaskStatus.COMPLETE if answered else TaskStatus.ERROR)
        chunk = Chunk(message.markdown[len(standing) :], tasks)
        try:
            self._claimed.write_until_deadline(
                lambda: self._chat.stop_stream(stream.ts, message, chunk, goes_on=waits)
            )
        except ChatStopped:
            raise
        except ChatRefused:
            return
        self._status.seems_busy = waits
        self._messages.stream_ended_as(message)

    def _cut(self, position: StreamPosition) -> Cut | None:
        """Where the message that is being written has to end; None while it is not full."""
        message, written = position.message_text, position.written
        if self._open and self._open.is_old(self._clock.now()):
            return self._cut_here(position)
        if not written and (end := end_of_data_table(message)) is not None:
            return Cut(end)
        structure = self._fitting(position)
        crowded = structure.crowded_at()
        if crowded is not None and crowded >= written:
            return structure.cut(crowded)
        beginning = _prefix(message, max(0, ENOUGH_BYTES - self._spent))
        if beginning == message:
            return None
        enough = max(written, len(beginning))
        if after := [at for at in structure.between_blocks() if at >= enough]:
            return structure.cut(after[0])
        if structure.text == message:
            return None
        least = max(written, len(structure.text) // 2)
        for candidates in (structure.between_lines(), structure.between_words()):
            if late := [at for at in candidates if at >= least]:
                return structure.cut(late[-1])
        return structure.cut(len(structure.text))

    def _cut_here(self, position: StreamPosition) -> Cut:
        """A cut at the next end of a line, or else at the end of what was sent."""
        structure = self._fitting(position)
        ends = (at for at in structure.between_lines() if at >= position.written)
        return structure.cut(next(ends, position.written))

    @property
    def _spent(self) -> int:
        return self._open.spent if self._open else 0

    def _fitting(self, position: StreamPosition) -> Structure:
        """As much of the message as MOST_BYTES have room for, and at least what was sent."""
        room = max(0, MOST_BYTES - self._spent)
        beginning = position.message_text[: max(position.written, len(_prefix(position.message_text, room)))]
        return Structure(beginning, whole=position.message_text)

    def _news_of(self, reply: Reply) -> tuple[Task, ...]:
        """The tasks that are new or have changed since they were shown."""
        last = len(reply.steps) - 1
        tasks = [
            Task(
                f"step-{number}",
                wording.step(use),
                TaskStatus.IN_PROGRESS if reply.at_work and number == last else TaskStatus.COMPLETE,
            )
            for number, use in enumerate(reply.steps)
        ]
        return tuple(task for task in tasks if self._tasks.get(task.id) != task)

    def _over(self, status: TaskStatus, besides: tuple[Task, ...] = ()) -> tuple[Task, ...]:
        """The tasks that are shown as being in progress, with `status` instead."""
        tasks = self._tasks | {task.id: task for task in besides}
        running = [task for task in tasks.values() if task.status is TaskStatus.IN_PROGRESS]
        return tuple(replace(task, status=status) for task in running)

    def _note(self, tasks: tuple[Task, ...]) -> None:
        """Note that Slack shows these tasks."""
        self._tasks |= {task.id: task for task in tasks}
        if self._open:
            self._open.spent += sum(len(task.title.encode()) + len(task.id) for task in tasks)


def _prefix(text: str, size: int) -> str:
    """The longest beginning of a text that has at most `size` bytes of UTF-8."""
    return text[:size].encode()[:size].decode(errors="ignore")
