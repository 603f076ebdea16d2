"""What a turn owes once its agent's run is over: what was said, files, and why there is no more.

An agent that asks for a tool, or for a person's consent to one (`ToolRequest`), ends its run here: the turn
waits for a person if one can answer that, and ends otherwise.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from functions.bridge import wording
from functions.bridge.agents.events import Failed, File, Finished
from functions.bridge.agents.failures import MAY_HAVE_ACTED, Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.claimed_turn import ClaimedTurn
from functions.bridge.ledger.pauses import Pause
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatError,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUndone,
)
from functions.bridge.replies.reply import Reply
from functions.bridge.replies.writer import Progress
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from functions.bridge.turns.stop_watch import StopWatch
from functions.bridge.turns.thread_session import ThreadSession

# How often a file is sent at most while that has no effect.
UPLOAD_TRIES = 3


class Upload(Enum):
    """What became of a file of the agent's."""

    DONE = auto()
    MISSING = auto()
    UNCERTAIN = auto()


class AgentResult:
    """Owes what came of a run.

    Args:
        session: in which the agent was asked.
        outcome: what is to be logged goes in here.
        stop_at: when files are uploaded no more, seconds since the epoch.
    """

    def __init__(
        self,
        claimed: ClaimedTurn,
        progress: Progress,
        ports: Ports,
        session: ThreadSession,
        outcome: Outcome,
        watch: StopWatch,
        *,
        stop_at: float,
    ) -> None:
        self._claimed = claimed
        self._progress = progress
        self._chat = ports.chat
        self._waiting = ports.waiting
        self._clock = ports.clock
        self._session = session
        self._outcome = outcome
        self._watch = watch
        self._pause: Pause | None = None
        self._is_unreadable = False
        self._stop_at = stop_at

    def owe(self, reply: Reply, pause: Pause | None, *, is_unreadable: bool) -> None:
        """Owe what the agent said, then upload its files: a crash between them must not lose the answer.

        `pause` is what the turn waits for; None where it ends. `is_unreadable` is whether that is because
        nobody could read all that the agent asks for.
        """
        self._pause = pause
        self._is_unreadable = is_unreadable
        if reply.ended is None:
            self._outcome.stop = self._watch.stop
        self._outcome.guardrails = tuple(reply.guardrails)
        files = reply.files()
        self._owe_reply(reply, files, dict.fromkeys((file.name for file in files), Upload.UNCERTAIN))
        if self._outcome.stop:
            self._watch.obeyed()
        if files:
            self._owe_reply(reply, files, {file.name: self._upload(file) for file in files})

    def _owe_reply(self, reply: Reply, files: Sequence[File], uploads: Mapping[str, Upload]) -> None:
        missing = [name for name, upload in uploads.items() if upload is Upload.MISSING]
        uncertain = [name for name, upload in uploads.items() if upload is Upload.UNCERTAIN]
        notes = [wording.missing_files(missing)] if missing else []
        notes += [wording.uncertain_files(uncertain)] if uncertain else []
        failed = Failure.UPLOAD if notes else None
        if self._session.note and (reply.has_text or files):
            notes.append(self._session.note)
        if self._was_edited():
            notes.append(wording.EDITED_TOO_LATE)
        ended = reply.ended
        if ended is None:
            self._owe_text(reply, [*notes, self._outcome.stopped()], State.STOPPED, failure=None)
            return
        if self._pause is not None:
            self._owe_text(reply, [*notes, wording.NEEDS_APPROVAL], State.WAITING, failure=failed)
            return
        if isinstance(ended, Finished) and not reply.has_text and not files:
            failure = Failure.GUARDRAIL if reply.guardrails else Failure.EMPTY
            ended = Failed(failure, "the stream ended without text")
        if isinstance(ended, Failed):
            self._outcome.note(ended.detail)
            acted = reply.may_have_acted or ended.failure in MAY_HAVE_ACTED
            words = wording.explanation(
                ended.failure,
                reference=self._claimed.turn.reference,
                may_have_acted=acted,
                words=wording.requested(reply.requests, is_unreadable=self._is_unreadable)
                if reply.hands_over
                else "",
            )
            notes.append(words)
            ending = State.INTERRUPTED if acted else State.FAILED
            self._owe_text(reply, notes, ending, failure=ended.failure)
        else:
            self._owe_text(reply, notes, State.ANSWERED, failure=failed)

    def _was_edited(self) -> bool:
        """Whether the question was edited when its agent was at work, as far as that can be known."""
        record = self._claimed.record
        try:
            return self._session.hears_edits and self._waiting.was_edited(record.turn_id, record.attempt)
        except ServiceUnavailable:
            return False

    def _owe_text(
        self, reply: Reply, notes: Sequence[str], ending: State, *, failure: Failure | None
    ) -> None:
        """Owe what the agent said and our notes. The notes go into the last message, never into a file."""
        messages, rest = self._progress.pages(reply.final(*notes) or wording.FILES_ONLY)
        if rest:
            messages, rest = self._progress.pages(reply.final())
            messages[-1] = "\n\n".join([messages[-1], *notes])
        if self._pause is not None:
            messages.append(wording.asks_for(self._pause))  # the card
        self._claimed.owe(messages, ending, failure=failure, rest=rest, pause=self._pause)

    def _upload(self, file: File) -> Upload:
        """Bring a file into the thread, while there is time. A try that had no effect is repeated."""

        def upload() -> Upload:
            self._claimed.retry_until_deadline(self._claimed.ensure_lease)
            if self._clock.now() >= self._stop_at:
                return Upload.MISSING
            self._chat.upload(self._claimed.turn, file)
            return Upload.DONE

        without_effect = (ChatRateLimited, ChatUndone)
        try:
            return self._claimed.retry(
                upload, until=self._stop_at, most_tries=UPLOAD_TRIES, after=without_effect
            )
        except ChatStopped:
            raise
        except without_effect:
            return Upload.MISSING
        except ChatError as exc:
            self._outcome.note(f"a file was not taken: {exc}")
            is_refused = isinstance(exc, ChatRefused | ChatAppRefused)
            return Upload.MISSING if is_refused else Upload.UNCERTAIN
