"""What one call writes into a stream: Markdown as it is, or chunks of several kinds.

docs.slack.dev/messaging/sending-and-scheduling-messages#text-streaming
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from simulator.slack.errors import SlackError, refusal
from simulator.slack.limits import MARKDOWN, parse_blocks, parsed

Json = dict[str, Any]
Mode = Literal["text", "chunks"]

TITLE = 256
TASK_STATUSES = ("pending", "in_progress", "complete", "error")
_REQUIRED = {
    "markdown_text": {"text"},
    "task_update": {"id", "title", "status"},
    "plan_update": {"title"},
    "blocks": {"blocks"},
}
_OPTIONAL = {"task_update": {"details", "output", "sources"}}


@dataclass(frozen=True)
class Payload:
    """The content of a call. `mode` is None when there is none."""

    mode: Mode | None
    chunks: tuple[Json, ...] = ()

    @property
    def size(self) -> int:
        """UTF-8 bytes that count towards the limit of the message."""
        return sum(map(_size, self.chunks))


def parse_payload(markdown_text: str | None, chunks: Any) -> Payload:
    """What the arguments `markdown_text` and `chunks` of a call hold.

    Raises SlackError streaming_mode_mismatch, invalid_chunks, msg_too_long, or what `parse_blocks` raises.
    """
    found = [] if chunks is None else parsed(chunks, "invalid_chunks")
    if not isinstance(found, list) or not all(isinstance(chunk, dict) for chunk in found):
        raise SlackError("invalid_chunks")
    if markdown_text and found:
        raise SlackError("streaming_mode_mismatch")
    if markdown_text:
        found = [{"type": "markdown_text", "text": markdown_text}]
    problems = [
        problem for index, chunk in enumerate(found) for problem in _problems(chunk, f"/chunks/{index}")
    ]
    if problems:
        raise refusal("invalid_chunks", *problems)
    if sum(len(chunk["text"]) for chunk in found if chunk["type"] == "markdown_text") > MARKDOWN:
        raise SlackError("msg_too_long")
    written = tuple(
        chunk | {"blocks": parse_blocks(chunk["blocks"])} if chunk["type"] == "blocks" else chunk
        for chunk in found
    )
    mode: Mode = "text" if markdown_text else "chunks"
    return Payload(mode if written else None, written)


def _problems(chunk: Json, at: str) -> Iterator[str]:
    kind = chunk.get("type")
    if kind not in _REQUIRED:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
        return
    for name in sorted(set(chunk) - {"type"} - _REQUIRED[kind] - _OPTIONAL.get(kind, set())):
        yield f"invalid additional property: {name} [json-pointer:{at}]"
    for name in sorted(_REQUIRED[kind]):
        if not chunk.get(name):
            yield f"missing required field: {name} [json-pointer:{at}/{name}]"
    for name in ("text", "id", "title", "details", "output"):
        if not isinstance(chunk.get(name, ""), str):
            yield f"must be a string [json-pointer:{at}/{name}]"
    if len(str(chunk.get("title", ""))) > TITLE:
        yield f"must be less than {TITLE + 1} characters [json-pointer:{at}/title]"
    if kind == "task_update" and chunk.get("status") not in TASK_STATUSES:
        yield f"must be one of {', '.join(TASK_STATUSES)} [json-pointer:{at}/status]"
    sources = chunk.get("sources", [])
    if not isinstance(sources, list) or not all(map(_is_source, sources)):
        yield f"must be a list of URL sources [json-pointer:{at}/sources]"


def _is_source(source: Any) -> bool:
    if not isinstance(source, dict) or source.get("type") != "url":
        return False
    return all(isinstance(source.get(name), str) and source[name] for name in ("url", "text"))


def _size(chunk: Json) -> int:
    """The size of a card: its title counts once, its other texts count twice."""

    def length(name: str) -> int:
        return len(chunk.get(name, "").encode())

    return length("text") + length("title") + 2 * (length("details") + length("output"))
