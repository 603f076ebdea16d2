"""What the user should see of an answer: a fold over the agent's events."""

from functions.bridge import markdown
from functions.bridge.agent import AgentEvent, Failed, Finished, Rationale, TextDelta, ToolUse


class Reply:
    """The answer so far. Feed it each agent event in order; read it as Markdown at any time.

    Attributes:
        ended: the `Finished` or `Failed` event, None while the agent works.
        has_text: whether the agent said anything to the user yet.
        may_have_acted: whether it got as far as to use a tool or to speak.
    """

    def __init__(self, *, show_rationale: bool) -> None:
        self._show_rationale = show_rationale
        self._rationales: list[str] = []
        self._deltas: list[str] = []
        self.ended: Finished | Failed | None = None
        self.has_text = False
        self.may_have_acted = False

    def add(self, event: AgentEvent) -> None:
        self.may_have_acted = self.may_have_acted or isinstance(event, TextDelta | ToolUse)
        match event:
            case TextDelta(text):
                self._deltas.append(text)
                self.has_text = self.has_text or bool(text.strip())
            case Rationale(text) if self._show_rationale:
                self._rationales.append(text)
            case Finished() | Failed():
                self.ended = event
            case _:
                pass

    def shows_anything(self) -> bool:
        return self.has_text or bool(self._rationales)

    def growing(self) -> str:
        """One message's worth, fit to be shown while more is coming."""
        return markdown.preview(markdown.disarm(self._whole()))

    def final(self, note: str = "") -> list[str]:
        """The messages that the user is owed: everything the agent said, then the bridge's own `note`."""
        paragraphs = [markdown.disarm(self._whole()).strip(), note]
        return markdown.split("\n\n".join(paragraph for paragraph in paragraphs if paragraph))

    def _whole(self) -> str:
        quoted = [
            "\n".join(f"> {line}" for line in rationale.strip().splitlines())
            for rationale in self._rationales
        ]
        return "\n\n".join([*quoted, "".join(self._deltas)])
