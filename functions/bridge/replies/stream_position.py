"""How far a growing text has been streamed into messages."""

from dataclasses import dataclass, replace

from functions.bridge.markdown.outdent import Outdent, outdent_of, outdented, without
from functions.bridge.markdown.split import Cut, continued, ended


@dataclass(frozen=True)
class StreamPosition:
    """How far a text has been streamed.

    Attributes:
        text: the text, after the outdents.
        past: how many of its characters are in messages that have ended.
        sent: how many of its characters have been sent in all.
        reopen: what the message that is being written begins with before the text.
        ended: the messages that have ended, as they should read.
        outdents: the indentation that has been taken off the text.
    """

    text: str = ""
    past: int = 0
    sent: int = 0
    reopen: str = ""
    ended: tuple[str, ...] = ()
    outdents: tuple[Outdent, ...] = ()

    @property
    def message_text(self) -> str:
        """The message that is being written, sent or not."""
        return self.reopen + self.text[self.past :]

    @property
    def written(self) -> int:
        """How many characters of `message_text` have been sent."""
        return len(self.reopen) + self.sent - self.past

    def goes_on_as(self, text: str) -> bool:
        """Whether `text` begins with everything that has been sent."""
        return without(self.outdents, text).startswith(self.text[: self.sent])

    def grown_to(self, text: str) -> "StreamPosition":
        """The same position in a longer text, without blank lines at the head of a message."""
        text = without(self.outdents, text)
        if self.reopen or self.sent > self.past:
            return replace(self, text=text)._begun()
        past = len(text) - len(continued(text[self.past :], Cut(0)))
        return replace(self, text=text, past=past, sent=past)._begun()

    def after(self, cut: Cut) -> "StreamPosition":
        """The position after a message that ends at `cut`."""
        rest = continued(self.message_text[cut.at :], cut)
        past = len(self.text) - len(rest)
        whole = ended(self.message_text, cut)
        position = replace(self, past=past, sent=past, reopen=cut.reopen, ended=(*self.ended, whole))
        return position._begun()

    def _begun(self) -> "StreamPosition":
        """The same position. Where nothing of the message is written yet, it is outdented if it has to be."""
        outdent = outdent_of(self.reopen, self.text, self.past) if self.sent == self.past else None
        if outdent is None:
            return self
        reopen = outdented(self.reopen, outdent.columns)
        return replace(self, text=outdent.off(self.text), reopen=reopen, outdents=(*self.outdents, outdent))
