"""The style in which Slack itself streams: messages that only grow, under a status instead of a placeholder.

A stream ends after five minutes and some 11,000 bytes, whatever Slack's pages say, and from then on refuses
everything: the writer goes on in a new message before that.
github.com/slackapi/python-slack-sdk/issues/1859, github.com/vercel/chat/pull/884,
github.com/CopilotKit/CopilotKit/issues/6063
"""

from collections.abc import Callable
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
from functions.bridge.replies.edit_style import EditWriter
from functions.bridge.replies.reply import Reply
from functions.bridge.replies.stream_position import StreamPosition

# Bytes of UTF-8: a message ends with the first block that ends beyond the one, and never beyond the other.
ENOUGH_BYTES = 6_000
MOST_BYTES = 9_000
# Seconds.
LONGEST_LIFE = 240.0
# Slack takes a status away after two minutes (docs.slack.dev/reference/methods/assistant.threads.setStatus).
STATUS_SECONDS = 90.0


@dataclass
class _Stream:
    """A message that grows.

    Attributes:
        number: which message of the reply it is.
        spent: bytes of Slack's limit that went into tasks.
    """

    ts: str
    number: int
    opened_at: float
    spent: int = 0

    def is_old(self, now: float) -> bool:
        return now >= self.opened_at + LONGEST_LIFE


class StreamWriter(EditWriter):
    """Grows messages by streaming. See `writer.Writer`.

    Where Slack refuses that, and when it is not certain what a stream has taken, it goes on by editing.
    """

    def __init__(self, claimed: ClaimedTurn, chat: Chat, clock: Clock, *, most: int) -> None:
        super().__init__(claimed, chat, most=most)
        self._clock = clock
        # A later attempt is written into the messages of the one before, which only edits can do.
        self._streams = not claimed.record.reply
        self._open: _Stream | None = None
        self._position = StreamPosition()
        self._reply: Reply | None = None
        self._tasks: dict[str, Task] = {}
        self._status = ("", float("-inf"))

    def wait(self, words: str) -> None:
        if self._open and self._open.is_old(self._clock.now()):
            self._or_edit(lambda: self._end(self._cut_here(self._position)))
        if self._streams and self._open is None:
            self._say_that_we_wait(words)
        if not self._streams:
            super().wait(words)

    def show(self, reply: Reply) -> None:
        self._reply = reply
        if self._streams and self._or_edit(lambda: self._grow(reply)) is not None:
            self.shows_answer = self.shows_answer or self._position.sent > 0
        else:
            super().show(reply)

    def pages(self, text: str) -> tuple[list[str], str]:
        if not self._position.goes_on_as(text):
            return super().pages(text)
        position = self._position.grown_to(text)
        cut = self._cut(position) if self._open else None
        if cut:
            position = position.after(cut)
        if self._open and not cut:
            return [*position.ended, position.message_text], ""
        if not position.text[position.past :].strip():
            return ([*position.ended], "") if position.ended else super().pages(text)
        if len(position.ended) >= self._most:
            return [*position.ended], position.message_text
        pages = Pages(most=self._most - len(position.ended))
        return [*position.ended, *pages.of(position.message_text)], pages.rest

    def deliver(self) -> None:
        if self._open:
            self._finish(self._open)
            self._open = None
        super().deliver()

    def _say_that_we_wait(self, words: str) -> None:
        said, at = self._status
        if words != said or self._clock.now() >= at + STATUS_SECONDS:
            self._status = (words, self._clock.now())
            self.seems_busy = True
            try:
                self._chat.set_status(self._claimed.turn, words)
            except ChatRefused:
                self._streams = False

    def _or_edit(self, attempt: Callable[[], bool]) -> bool | None:
        """What came of a use of the stream; None when from here on there is no more streaming.

        After an answer that got lost, nobody knows what the stream has taken; after most refusals it takes
        nothing any more, or has never begun. An edit puts all of that right. A workspace opens some 20
        streams a minute: the first text does not wait for that.
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
        """Send what belongs into the message, which ends at `cut` if there is one."""
        self._check_lease()
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
        """Post the message that ends at `cut`: no stream takes such a table, as its text or as a block.

        Whether the latter is taken, Slack's pages contradict each other:
        docs.slack.dev/ai/developing-agents, docs.slack.dev/reference/methods/chat.appendStream
        """
        self._check_lease()
        text = ended(self._position.message_text, cut)
        self._try_write(Message(self._claimed.turn, len(self._claimed.record.reply), text))
        self._position = self._position.after(cut)

    def _start(self, chunk: Chunk) -> None:
        if self._unconfirmed:
            raise ChatUnavailable("not asked: an earlier message may stand")
        number = len(self._claimed.record.reply)
        self._intend(number)
        self.seems_busy = True
        ts = self._once(number, lambda: self._chat.start_stream(self._claimed.turn, chunk))
        self._put_on_record(ts)
        self._open = _Stream(ts, number, self._clock.now())
        self._shown[number] = Message(self._claimed.turn, number, chunk.markdown)
        self._doubtful.add(number)  # it grows
        self._note(chunk.tasks)

    def _end(self, cut: Cut, tasks: tuple[Task, ...] = ()) -> bool:
        """Stop the message at `cut`, with what is missing of it."""
        assert self._open is not None
        self._check_lease()
        position, stream = self._position, self._open
        if not ended(position.message_text, cut):
            # Once its tasks are gone, Slack takes no message without text.
            cut = replace(cut, close=wording.NOTHING_YET)
        message = Message(self._claimed.turn, stream.number, ended(position.message_text, cut))
        rest = position.message_text[position.written : cut.at].rstrip() + cut.close
        tasks = (*tasks, *self._over(TaskStatus.COMPLETE, besides=tasks))
        self._chat.stop_stream(stream.ts, message, Chunk(rest, tasks), goes_on=True)
        self._note(tasks)
        self._stands(message)
        self._open, self._position = None, position.after(cut)
        return True

    def _finish(self, stream: _Stream) -> None:
        """Let the open stream become the message that is owed in its place, if it can."""
        standing = self._position.message_text[: self._position.written]
        message = next((message for message in self._owed() if message.number == stream.number), None)
        if message is None or not message.markdown.startswith(standing):
            return
        answered = self._claimed.record.ending is State.ANSWERED
        # Those that came and went between two looks, and the one at which the agent ended.
        unseen = self._news_of(self._reply) if answered and self._reply else ()
        tasks = unseen or self._over(TaskStatus.COMPLETE if answered else TaskStatus.ERROR)
        chunk = Chunk(message.markdown[len(standing) :], tasks)
        try:
            self._certainly(lambda: self._chat.stop_stream(stream.ts, message, chunk))
        except ChatStopped:
            raise
        except ChatRefused:
            return
        self.seems_busy = False
        self._stands(message)

    def _stands(self, message: Message) -> None:
        self._shown[message.number] = message
        self._doubtful.discard(message.number)

    def _cut(self, position: StreamPosition) -> Cut | None:
        """Where the message that is being written has to end; None: it is not full yet."""
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
        """The next end of a line, or else behind what stands already."""
        structure = self._fitting(position)
        ends = (at for at in structure.between_lines() if at >= position.written)
        return structure.cut(next(ends, position.written))

    @property
    def _spent(self) -> int:
        return self._open.spent if self._open else 0

    def _fitting(self, position: StreamPosition) -> Structure:
        """As much of the message as there is room for."""
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
        """The tasks that are shown as being in progress, as no longer so."""
        tasks = self._tasks | {task.id: task for task in besides}
        running = [task for task in tasks.values() if task.status is TaskStatus.IN_PROGRESS]
        return tuple(replace(task, status=status) for task in running)

    def _note(self, tasks: tuple[Task, ...]) -> None:
        self._tasks |= {task.id: task for task in tasks}
        if self._open:
            self._open.spent += sum(len(task.title.encode()) + len(task.id) for task in tasks)


def _prefix(text: str, size: int) -> str:
    """The beginning of a text in `size` bytes, without half a character."""
    return text[:size].encode()[:size].decode(errors="ignore")
