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
    Part,
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
        self._place = StreamPosition()
        self._reply: Reply | None = None
        self._tasks: dict[str, Task] = {}
        self._status = ("", float("-inf"))

    def wait(self, words: str) -> None:
        if self._open and self._open.is_old(self._clock.now()):
            self._or_edit(lambda: self._end(self._cut_here(self._place)))
        if self._streams and self._open is None:
            self._say_that_we_wait(words)
        if not self._streams:
            super().wait(words)

    def show(self, reply: Reply) -> None:
        self._reply = reply
        if self._streams and self._or_edit(lambda: self._grow(reply)) is not None:
            self.shows_answer = self.shows_answer or self._place.sent > 0
        else:
            super().show(reply)

    def pages(self, text: str) -> tuple[list[str], str]:
        if not self._place.goes_on_as(text):
            return super().pages(text)
        place = self._place.grown_to(text)
        cut = self._cut(place) if self._open else None
        if cut:
            place = place.after(cut)
        if self._open and not cut:
            return [*place.ended, place.message], ""
        if not place.text[place.past :].strip():
            return ([*place.ended], "") if place.ended else super().pages(text)
        if len(place.ended) >= self._most:
            return [*place.ended], place.message
        pages = Pages(most=self._most - len(place.ended))
        return [*place.ended, *pages.of(place.message)], pages.rest

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
        if not self._place.goes_on_as(text):
            raise ChatUnavailable("not asked: what was streamed has changed")
        self._place = self._place.grown_to(text)
        tasks = self._news_of(reply)
        if self._place.sent == len(self._place.text) and not tasks:
            return False
        while len(self._place.ended) < self._most:
            cut = self._cut(self._place)
            if cut and self._open is None and end_of_data_table(self._place.message) is not None:
                self._post_data_table(cut)
            else:
                self._write(cut, tasks)
                tasks = ()
            if self._place.sent == len(self._place.text):
                break
        return True

    def _write(self, cut: Cut | None, tasks: tuple[Task, ...]) -> None:
        """Send what belongs into the message, which ends at `cut` if there is one."""
        self._check_lease()
        place = self._place
        end = cut.at if cut else len(place.message)
        if self._open is None:
            self._start(Chunk(place.message[:end], tasks))
        elif cut is None:
            self._chat.append_stream(
                self._claimed.turn, self._open.ts, Chunk(place.message[place.written : end], tasks)
            )
            self._note(tasks)
        else:
            self._end(cut, tasks)
            return
        self._place = replace(place, sent=place.past + end - len(place.reopen))
        if cut:
            self._end(cut)

    def _post_data_table(self, cut: Cut) -> None:
        """Post the message that ends at `cut`: no stream takes such a table, as its text or as a block.

        Whether the latter is taken, Slack's pages contradict each other:
        docs.slack.dev/ai/developing-agents, docs.slack.dev/reference/methods/chat.appendStream
        """
        self._check_lease()
        text = ended(self._place.message, cut)
        self._try_write(Part(self._claimed.turn, len(self._claimed.record.reply), text))
        self._place = self._place.after(cut)

    def _start(self, chunk: Chunk) -> None:
        if self._unconfirmed:
            raise ChatUnavailable("not asked: an earlier message may stand")
        number = len(self._claimed.record.reply)
        self._intend(number)
        self.seems_busy = True
        ts = self._once(number, lambda: self._chat.start_stream(self._claimed.turn, chunk))
        self._put_on_record(ts)
        self._open = _Stream(ts, number, self._clock.now())
        self._shown[number] = Part(self._claimed.turn, number, chunk.markdown)
        self._doubtful.add(number)  # it grows
        self._note(chunk.tasks)

    def _end(self, cut: Cut, tasks: tuple[Task, ...] = ()) -> bool:
        """Stop the message at `cut`, with what is missing of it."""
        assert self._open is not None
        self._check_lease()
        place, stream = self._place, self._open
        if not ended(place.message, cut):
            # Once its tasks are gone, Slack takes no message without text.
            cut = replace(cut, close=wording.NOTHING_YET)
        part = Part(self._claimed.turn, stream.number, ended(place.message, cut))
        rest = place.message[place.written : cut.at].rstrip() + cut.close
        tasks = (*tasks, *self._over(TaskStatus.COMPLETE, besides=tasks))
        self._chat.stop_stream(stream.ts, part, Chunk(rest, tasks), goes_on=True)
        self._note(tasks)
        self._stands(part)
        self._open, self._place = None, place.after(cut)
        return True

    def _finish(self, stream: _Stream) -> None:
        """Let the open stream become the message that is owed in its place, if it can."""
        standing = self._place.message[: self._place.written]
        part = next((part for part in self._owed() if part.number == stream.number), None)
        if part is None or not part.markdown.startswith(standing):
            return
        answered = self._claimed.record.ending is State.ANSWERED
        # Those that came and went between two looks, and the one at which the agent ended.
        unseen = self._news_of(self._reply) if answered and self._reply else ()
        tasks = unseen or self._over(TaskStatus.COMPLETE if answered else TaskStatus.ERROR)
        chunk = Chunk(part.markdown[len(standing) :], tasks)
        try:
            self._certainly(lambda: self._chat.stop_stream(stream.ts, part, chunk))
        except ChatStopped:
            raise
        except ChatRefused:
            return
        self.seems_busy = False
        self._stands(part)

    def _stands(self, part: Part) -> None:
        self._shown[part.number] = part
        self._doubtful.discard(part.number)

    def _cut(self, place: StreamPosition) -> Cut | None:
        """Where the message that is being written has to end; None: it is not full yet."""
        message, written = place.message, place.written
        if self._open and self._open.is_old(self._clock.now()):
            return self._cut_here(place)
        if not written and (end := end_of_data_table(message)) is not None:
            return Cut(end)
        structure = self._fitting(place)
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

    def _cut_here(self, place: StreamPosition) -> Cut:
        """The next end of a line, or else behind what stands already."""
        structure = self._fitting(place)
        ends = (at for at in structure.between_lines() if at >= place.written)
        return structure.cut(next(ends, place.written))

    @property
    def _spent(self) -> int:
        return self._open.spent if self._open else 0

    def _fitting(self, place: StreamPosition) -> Structure:
        """As much of the message as there is room for."""
        room = max(0, MOST_BYTES - self._spent)
        beginning = place.message[: max(place.written, len(_prefix(place.message, room)))]
        return Structure(beginning, whole=place.message)

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
