"""How far a growing text has been written into messages that only grow themselves."""

from dataclasses import dataclass, replace

from functions.bridge.markdown.outdent import Outdent, outdent_of, outdented, without
from functions.bridge.markdown.split import Cut, continued, ended


@dataclass(frozen=True)
class StreamPosition:
    """How far a text has been written.

    Attributes:
        text: the text, without the margins.
        past: so many of its characters are in messages that have ended.
        sent: so many have been sent at all.
        reopen: what the message that is being written begins with, before the text.
        ended: the messages that have ended, as they should read.
        margins: what has been taken off the text.
    """

    text: str = ""
    past: int = 0
    sent: int = 0
    reopen: str = ""
    ended: tuple[str, ...] = ()
    margins: tuple[Outdent, ...] = ()

    @property
    def message(self) -> str:
        """The message that is being written, with all there is to write."""
        return self.reopen + self.text[self.past :]

    @property
    def written(self) -> int:
        """So many characters of `message` stand already."""
        return len(self.reopen) + self.sent - self.past

    def goes_on_as(self, text: str) -> bool:
        """Whether `text` begins with all that has been sent."""
        return without(self.margins, text).startswith(self.text[: self.sent])

    def grown_to(self, text: str) -> "StreamPosition":
        """The same place in a longer text, without blank lines at the head of a message."""
        text = without(self.margins, text)
        if self.reopen or self.sent > self.past:
            return replace(self, text=text)._begun()
        past = len(text) - len(continued(text[self.past :], Cut(0)))
        return replace(self, text=text, past=past, sent=past)._begun()

    def after(self, cut: Cut) -> "StreamPosition":
        """The place behind the end of the message."""
        rest = continued(self.message[cut.at :], cut)
        past = len(self.text) - len(rest)
        whole = ended(self.message, cut)
        place = replace(self, past=past, sent=past, reopen=cut.reopen, ended=(*self.ended, whole))
        return place._begun()

    def _begun(self) -> "StreamPosition":
        """The same place; a message of which nothing is written yet begins without too much indentation."""
        margin = outdent_of(self.reopen, self.text, self.past) if self.sent == self.past else None
        if margin is None:
            return self
        reopen = outdented(self.reopen, margin.columns)
        return replace(self, text=margin.off(self.text), reopen=reopen, margins=(*self.margins, margin))
