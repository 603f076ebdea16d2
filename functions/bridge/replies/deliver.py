"""Lands the text that a turn owes: every message of it, then the rest as a file."""

from collections.abc import Sequence
from contextlib import suppress

from functions.bridge import wording
from functions.bridge.agents.events import File
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import GiveBack
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.record import State
from functions.bridge.markdown import safe, split
from functions.bridge.markdown.split import MESSAGE_LIMIT
from functions.bridge.replies import card
from functions.bridge.replies.buttons import RETRY, Button, retry_value
from functions.bridge.replies.chat import (
    Chat,
    ChatAppRefused,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
    ChatUndone,
    Message,
)
from functions.bridge.replies.refusals import IS_CLOSED, IS_TOO_MUCH
from functions.bridge.replies.thread_messages import ThreadMessages
from functions.bridge.replies.thread_status import ThreadStatus
from functions.bridge.turn import Turn

# The name of the file with the rest of an answer.
REST = "answer.md"
# Messages that Slack refuses are cut smaller, until there are this many times `most_messages` of them.
_MOST_TIMES = 2
# Characters. Slack never refuses a shorter message as too much: 50 blocks do not fit into it.
_SMALLEST_MESSAGE = 200


def final_messages(
    turn: Turn, texts: Sequence[str], ending: State, *, is_notice: bool, first: int = 0
) -> list[Message]:
    """The messages with which a turn ends. The last one has a Retry button if it may be pressed.

    `first` is the number of the first one.
    """
    last = first + len(texts) - 1
    retry = Button(wording.RETRY_BUTTON, RETRY, retry_value(turn))
    buttons = (retry,) if ending in (State.INTERRUPTED, State.FAILED) else ()
    return [
        Message(turn, number, text, buttons if number == last else (), is_notice)
        for number, text in enumerate(texts, start=first)
    ]


class OwedText:
    """The text that the turn's record owes.

    Args:
        most_messages: how many messages an answer has at most.

    Attributes:
        refusal: Slack's name of the error with which it refused the text as it was; "" if it took it.
    """

    def __init__(
        self,
        claimed: ClaimedTurn,
        chat: Chat,
        messages: ThreadMessages,
        status: ThreadStatus,
        *,
        most_messages: int,
    ) -> None:
        self._claimed = claimed
        self._chat = chat
        self._messages = messages
        self._status = status
        self._most_messages = most_messages
        self._landing = 0  # the number of the message that is being written
        self.refusal = ""

    def messages(self) -> list[Message]:
        """The messages that must land. Of a turn that is to wait, the last one is the card."""
        record, turn = self._claimed.record, self._claimed.turn
        assert record.ending is not None, "nothing is owed yet"
        messages = final_messages(
            turn, record.owed, record.ending, is_notice=self._claimed.owes_notice, first=record.base
        )
        if record.pause is not None:
            messages[-1] = card.asking(turn, messages[-1].number, record.pause)
        return messages

    def land(self) -> None:
        """Write every owed message for certain, then the rest as a file, and settle the turn, or let it wait.

        A message that Slack refuses is cut smaller, and in the end an explanation takes the text's place.

        Raises:
            GiveBack: there is no time left. What is missing lands at the next delivery.
            ChatAppRefused: Slack refuses the app. What is missing lands at a later delivery.
            ChatRefused: the thread is gone or closed to us. The turn is settled as failed.
            ChatStopped: a person stopped the stream.
        """
        while True:
            try:
                self._land_messages()
            except ChatStopped:
                raise
            except ChatRefused as exc:
                if IS_CLOSED.fullmatch(exc.code) or not self._owe_something_else(exc.code):
                    with suppress(GiveBack, ChatAppRefused):  # Slack ends the session of such a thread itself
                        self._status.clear()
                    self._claimed.settle(State.FAILED)
                    raise
            else:
                if not self._claimed.record.rest:
                    break
                self._bring_rest()
        ending = self._claimed.record.ending
        assert ending is not None
        if ending is State.WAITING:
            self._status.suspend()
            self._claimed.wait_for_decision()
            return
        self._status.clear()  # before the turn is settled: whoever takes it over after a crash does it too
        self._claimed.settle(ending)

    def _land_messages(self) -> None:
        standing = self._messages.standing()
        owed = self.messages()
        for message in owed:
            self._landing = message.number
            if message is not owed[0]:  # each delivery writes one message at least
                self._claimed.check_time()
            self._messages.land(message, standing)
        self._messages.end_after(len(owed), standing)

    def _owe_something_else(self, refusal: str) -> bool:
        """Cut the message that was refused, or explain. False when the explanation itself was refused."""
        record, number = self._claimed.record, self._landing
        assert record.ending is not None
        note = wording.explanation(Failure.NOT_SHOWABLE, reference=self._claimed.turn.reference)
        if record.owed == (note,):
            return False
        self.refusal = refusal
        number -= record.base
        if record.pause is not None and number == len(record.owed) - 1:  # what stands above the card stays
            texts = [*record.owed[:-1], note]
            self._claimed.owe(texts, State.FAILED, failure=Failure.NOT_SHOWABLE, rest=record.rest)
            return True
        limit = safe.size(record.owed[number]) * 2 // 3
        smaller: list[str] = []
        if limit >= _SMALLEST_MESSAGE:
            smaller = split.split(record.owed[number], limit=min(limit, MESSAGE_LIMIT), data_tables=False)
        owed = [*record.owed[:number], *smaller, *record.owed[number + 1 :]]
        if refusal in IS_TOO_MUCH and smaller and len(owed) <= _MOST_TIMES * self._most_messages:
            self._claimed.owe(
                owed, record.ending, failure=record.failure, rest=record.rest, pause=record.pause
            )
        else:
            self._claimed.owe([note], State.FAILED, failure=Failure.NOT_SHOWABLE)
        return True

    def _bring_rest(self) -> None:
        """Upload the text that is too long for messages, and owe the last message again: it names the file.

        A crash between the two brings the file twice. It is a part of the answer, which must land.
        """
        record = self._claimed.record
        assert record.ending is not None
        file = File(REST, "text/markdown", record.rest.encode())
        said = self._claimed.write_until_deadline(lambda: self._upload(file))
        owed = [*record.owed]
        owed[-1 if record.pause is None else -2] += f"\n\n{said}"  # not into a card
        self._claimed.owe(owed, record.ending, failure=record.failure, pause=record.pause)

    def _upload(self, file: File) -> str:
        """Upload a file once, and return the sentence about it. Raises trouble that had no effect."""
        try:
            self._chat.upload(self._claimed.turn, file)
        except (ChatStopped, ChatUndone):
            raise
        except ChatRefused:
            return wording.missing_files([file.name])
        except ChatUnavailable:
            return wording.uncertain_files([file.name])
        return wording.rest_in_file(file.name)
