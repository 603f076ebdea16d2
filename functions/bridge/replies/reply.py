"""What the user should see of an answer: a fold over the agent's events."""

from collections.abc import Collection
from dataclasses import replace

from functions.bridge import wording
from functions.bridge.agents.events import (
    AgentEvent,
    Citation,
    CutShort,
    Failed,
    File,
    Finished,
    Guardrail,
    Rationale,
    Source,
    TextDelta,
    ToolRequest,
    ToolUse,
)
from functions.bridge.agents.failures import Failure
from functions.bridge.names import file_name
from functions.bridge.replies.answer_text import Draft

# Characters of an answer; what follows is not kept. A list of as many takes up to 4 seconds of a whole
# processor, of which the worker has a ninth, and 85 MB of its 192. Meanwhile its lease, 60 seconds, is not
# renewed.
MOST_TEXT = 500_000


class Reply:
    """The answer so far. Feed it each agent event in order; read it at any time.

    Attributes:
        ended: the `Finished` or `Failed` event, None while the agent works.
        has_text: whether the agent said anything to the user yet.
        may_have_acted: whether it got as far as to use a tool or to speak.
        steps: the tools that it used, in order.
        at_work: whether it uses the last of them now: it has not spoken since.
        guardrails: the policies of guardrails that stepped in.
        cut_short: whether the answer ends because it got too long, for the agent's model or for us.
        requests: the tools that the agent ended its turn for, so that somebody else runs them.
    """

    def __init__(self, *, show_rationale: bool, link_hosts: Collection[str] = ()) -> None:
        self._show_rationale = show_rationale
        self._link_hosts = link_hosts
        self._draft = Draft(link_hosts)
        self._room = MOST_TEXT
        self._sources: list[Source] = []
        self._files: list[File] = []
        self.ended: Finished | Failed | None = None
        self.has_text = False
        self.may_have_acted = False
        self.steps: list[ToolUse] = []
        self.at_work = False
        self.guardrails: list[str] = []
        self.cut_short = False
        self.requests: list[ToolRequest] = []

    def add(self, event: AgentEvent) -> None:
        acts = isinstance(event, TextDelta | ToolUse | Citation | File | ToolRequest)
        self.may_have_acted = self.may_have_acted or acts or (isinstance(event, Failed) and event.begun)
        match event:
            case TextDelta(text):
                is_text = bool(self._draft.add(self._fitting(text)).strip())
                self.has_text = self.has_text or is_text
                self.at_work = self.at_work and not is_text
            case Rationale(text) if self._show_rationale:
                quoted = "\n".join(f"> {line}" for line in text.strip().splitlines())
                self._draft.add(self._fitting(f"\n\n{quoted}\n\n"))
            case ToolUse():
                self.steps.append(event)
                self.at_work = True
            case Citation(sources):
                for number in sorted(set(map(self._number, sources))):
                    self._draft.mark(number)
            case File():
                self._files.append(replace(event, name=file_name(event.name, event.media_type)))
            case Guardrail(policies):
                self.guardrails += [policy for policy in policies if policy not in self.guardrails]
            case CutShort():
                self.cut_short = True
            case ToolRequest():
                self.requests.append(event)
            case Finished() | Failed():
                self.ended = event
                self.at_work = False

    def go_on(self) -> None:
        """The agent goes on, now that somebody has run what it asked for."""
        self.ended = None
        self.requests = []

    @property
    def hands_over(self) -> bool:
        """Whether the run ended so that somebody else answers its requests."""
        return isinstance(self.ended, Failed) and self.ended.failure is Failure.RETURN_OF_CONTROL

    def shows_anything(self) -> bool:
        return bool(self._draft) or self.at_work

    def growing(self) -> str:
        """The text so far, disarmed. Its end may be anything half."""
        return self._draft.growing()

    def steady(self) -> str:
        """As much of the text as can be appended to: no later event changes it."""
        return self._draft.steady()

    def final(self, *notes: str) -> str:
        """The text that the user is owed: all that the agent said, its sources, then the bridge's `notes`."""
        sources = wording.sources(self._sources, self._link_hosts)
        guardrail = wording.GUARDRAIL if self.guardrails and self.has_text else ""
        cut_short = wording.CUT_SHORT if self.cut_short else ""
        paragraphs = [self._draft.closed(), cut_short, sources, guardrail, *notes]
        return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)

    def files(self) -> list[File]:
        """What goes beside the text: the agent's files, and tables that are too large for a message."""
        return [*self._files, *self._draft.files()]

    def _fitting(self, text: str) -> str:
        """As much of the next text as there is room for."""
        self.cut_short = self.cut_short or len(text) > self._room
        text = text[: self._room]
        self._room -= len(text)
        return text

    def _number(self, source: Source) -> int:
        if source not in self._sources:
            self._sources.append(source)
        return self._sources.index(source) + 1
