"""A message that is streamed: what has been written into it, and how far it may grow.

docs.slack.dev/reference/methods/chat.startStream, chat.appendStream, chat.stopStream. The limits of size and
age are not documented; others have measured them: github.com/CopilotKit/CopilotKit/pull/6244,
github.com/vercel/chat/issues/607.
"""

import copy
import time
from dataclasses import dataclass, field
from typing import Any, Literal

from simulator.slack import mrkdwn
from simulator.slack.chunks import Mode, Payload
from simulator.slack.errors import SlackError
from simulator.slack.limits import check_expansion

Json = dict[str, Any]
Display = Literal["timeline", "plan"]

LIFETIME_SECONDS = 300.0
BYTES = 11_000  # UTF-8, see `Payload.size`


@dataclass
class _Task:
    id: str
    title: str
    status: str
    details: str = ""
    output: str = ""
    sources: list[Json] = field(default_factory=list)

    def update(self, chunk: Json) -> None:
        """The title, the status and the sources are replaced; the details and the output grow."""
        self.title, self.status = chunk["title"], chunk["status"]
        self.details += chunk.get("details", "")
        self.output += chunk.get("output", "")
        self.sources = chunk.get("sources", self.sources)

    def as_block(self) -> Json:
        """docs.slack.dev/reference/block-kit/blocks/task-card-block"""
        card: Json = {"type": "task_card", "task_id": self.id, "title": self.title, "status": self.status}
        for name, text in (("details", self.details), ("output", self.output)):
            if text:
                card[name] = mrkdwn.rich_text(text)[0]
        return card | ({"sources": self.sources} if self.sources else {})


class Stream:
    """The content of a streamed message.

    Attributes:
        display: "timeline" puts a card where it was first mentioned, "plan" gathers all cards at the top.
        opened_at: `time.monotonic()` of the start.
        mode: what the first payload has decided, None until then.
        bytes: what the content takes of the limit.
        is_completed: whether the app has stopped it.
        stopped_by: the id of the person who pressed Stop.
    """

    def __init__(self, display: Display) -> None:
        self.display = display
        self.opened_at = time.monotonic()
        self.mode: Mode | None = None
        self.bytes = 0
        self.is_completed = False
        self.stopped_by: str | None = None
        self._is_overfull = False
        self._plan_title = ""
        self._tasks: dict[str, _Task] = {}
        # Markdown, blocks, and where the cards of a timeline stand.
        self._parts: list[str | list[Json] | _Task] = []
        self._last_blocks: list[Json] = []

    def write(self, payload: Payload) -> None:
        """Appends the payload, or raises SlackError and appends nothing.

        Raises SlackError streaming_mode_mismatch, msg_too_long, or what `check_expansion` raises. After the
        first msg_too_long, however little is too long.
        """
        if payload.mode is None:
            return
        if self.mode not in (None, payload.mode):
            raise SlackError("streaming_mode_mismatch")
        if self._is_overfull or self.bytes + payload.size > BYTES:
            self._is_overfull = True
            raise SlackError("msg_too_long")
        before = copy.deepcopy((self._plan_title, self._tasks, self._parts))
        for chunk in payload.chunks:
            self._apply(chunk)
        try:
            check_expansion(self.blocks)
        except SlackError:
            self._plan_title, self._tasks, self._parts = before
            raise
        self.mode = payload.mode
        self.bytes += payload.size

    def complete(self, blocks: list[Json]) -> None:
        """The app stops it; `blocks` come last, and have a limit of their own."""
        self._last_blocks = blocks
        self.is_completed = True

    @property
    def text(self) -> str:
        """All the Markdown, without cards and blocks."""
        return "".join(part for part in self._parts if isinstance(part, str))

    @property
    def blocks(self) -> list[Json]:
        shown = [self._plan()] if self.display == "plan" and (self._tasks or self._plan_title) else []
        for part in self._parts:
            if isinstance(part, str):
                shown.append({"type": "markdown", "text": part})
            elif isinstance(part, _Task):
                shown.append(part.as_block())
            else:
                shown += part
        return shown + self._last_blocks

    def _plan(self) -> Json:
        """docs.slack.dev/reference/block-kit/blocks/plan-block"""
        tasks = [task.as_block() for task in self._tasks.values()]
        return {"type": "plan", "title": self._plan_title or tasks[-1]["title"], "tasks": tasks}

    def _apply(self, chunk: Json) -> None:
        match chunk["type"]:
            case "markdown_text" if self._parts and isinstance(self._parts[-1], str):
                self._parts[-1] += chunk["text"]
            case "markdown_text":
                self._parts.append(chunk["text"])
            case "blocks":
                self._parts.append(chunk["blocks"])
            case "plan_update":
                self._plan_title = chunk["title"]
            case _:
                task = self._tasks.get(chunk["id"])
                if task is None:
                    task = self._tasks[chunk["id"]] = _Task(chunk["id"], chunk["title"], chunk["status"])
                    self._parts += [task] if self.display == "timeline" else []
                task.update(chunk)
