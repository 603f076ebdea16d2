"""What writes the messages of a reply: progress that may be skipped, and the final text, which must land."""

from typing import Protocol

from functions.bridge.replies.reply import Reply


class Writer(Protocol):
    """Writes the reply of one turn while it is in our claimed. A style of reply is one implementation.

    Attributes:
        shows_answer: whether anything that the agent said has been shown.
        refusal: why Slack did not take the final text as it was, in Slack's word; "" if it did.
        ends_silently: whether the last message of the reply was edited, which notifies nobody.
        seems_busy: whether Slack may show the thread's session as processing.
    """

    shows_answer: bool
    seems_busy: bool
    refusal: str

    @property
    def ends_silently(self) -> bool: ...

    def release_session(self) -> None:
        """Let Slack no longer show the thread's session as processing. At every end of a turn.

        Raises:
            GiveBack: not before the deadline.
            ChatAppRefused: it is done when the app is let in again.
        """
        ...

    def wait(self, words: str) -> None:
        """Show that somebody is at work, unless that is seen already.

        Progress: raises `ChatError`, or `ServiceUnavailable` from the ledger.
        """
        ...

    def show(self, reply: Reply) -> None:
        """Show what there is of the answer. Progress, like `wait`."""
        ...

    def pages(self, text: str) -> tuple[list[str], str]:
        """The messages that the final text makes after what was shown, and what is left over for a file."""
        ...

    def deliver(self) -> None:
        """Write every owed message for certain, then the rest as a file, and settle the turn.

        What Slack does not show is cut smaller, and in the end replaced by an explanation.

        Raises:
            GiveBack: not before the deadline; what is missing lands at the next delivery.
            ChatAppRefused: the app is refused; what is missing lands at a later delivery.
            ChatRefused: the thread is gone or closed to us. The turn is settled as failed.
            ChatStopped: a person stopped the stream.
        """
        ...
