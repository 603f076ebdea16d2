"""Task cards, plans, tables and files of a message as HTML, each text escaped."""

from collections.abc import Callable
from html import escape
from urllib.parse import quote

from simulator.slack.workspace import Json

# What a browser may show on the page; everything else is downloaded. An SVG can hold scripts.
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_STATUS_WORDS = {
    "pending": "Not started",
    "in_progress": "In progress",
    "complete": "Done",
    "error": "Failed",
}
# Characters of plain text that Slack shows before it folds the rest. The number is a guess.
FOLDED_AFTER = 700
_UNITS = ("bytes", "KB", "MB", "GB")

# Renders a rich_text block.
RichText = Callable[[Json], str]


def task_card(card: Json, rich_text: RichText, link: Callable[[str, str], str]) -> str:
    """docs.slack.dev/reference/block-kit/blocks/task-card-block"""
    status = card["status"] if card.get("status") in _STATUS_WORDS else "pending"
    said = "".join(
        f'<div class="task-{name}">{rich_text(card[name])}</div>'
        for name in ("details", "output")
        if card.get(name)
    )
    links = " ".join(link(str(source["url"]), str(source["text"])) for source in card.get("sources") or [])
    sources = f'<p class="task-sources">{links}</p>' if links else ""
    return (
        f'<div class="task {status}"><span class="task-mark"></span><div>'
        f'<p class="task-title"><span class="visually-hidden">{_STATUS_WORDS[status]}: </span>'
        f"{escape(str(card.get('title', '')))}</p>{said}{sources}</div></div>"
    )


def plain_text(text: str, *, is_folded: bool) -> str:
    """A section of plain text, of which a long one is folded.

    docs.slack.dev/reference/block-kit/blocks/section-block
    """
    if not is_folded or len(text) <= FOLDED_AFTER:
        return f'<p class="plain-text">{escape(text)}</p>'
    return (
        f'<details class="plain-text"><summary>{escape(text[:FOLDED_AFTER])}…</summary>'
        f"{escape(text[FOLDED_AFTER:])}</details>"
    )


def text_input(label: str, element: Json) -> str:
    """A line to write in, which a press of a button of the message brings along."""
    name, most = escape(str(element["action_id"])), int(element.get("max_length", 3000))
    field = f'<input type="text" data-input="{name}" maxlength="{most}">'
    return f'<label class="text-input">{escape(label)}{field}</label>'


def plan(block: Json, cards: str, *, is_growing: bool) -> str:
    """Folded up once it is done: docs.slack.dev/reference/block-kit/blocks/plan-block"""
    is_done = not any(task.get("status") in ("pending", "in_progress") for task in block.get("tasks", []))
    title, opened = escape(str(block.get("title", ""))), "" if is_done and not is_growing else " open"
    return f'<details class="plan"{opened}><summary>{title}</summary>{cards}</details>'


def table(block: Json, rich_text: RichText) -> str:
    """docs.slack.dev/reference/block-kit/blocks/table-block: the first row holds the headings."""
    lines: list[str] = []
    for row in block["rows"]:
        tag = "td" if lines else "th"
        lines.append("".join(f"<{tag}>{_cell(cell, rich_text)}</{tag}>" for cell in row))
    rows = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="markdown"><div class="table" tabindex="0"><table>{rows}</table></div></div>'


def data_table(block: Json, rich_text: RichText) -> str:
    """docs.slack.dev/reference/block-kit/blocks/data-table-block: all its rows, as they came."""
    caption = f"<table><caption>{escape(str(block['caption']))}</caption>"
    return table(block, rich_text).replace("<table>", caption, 1)


def file(shown: Json) -> str:
    """A picture, or a card that downloads the file. `shown` is a file as Slack's APIs show it."""
    address = f"/page/files/{quote(str(shown['id']), safe='')}"
    title = escape(str(shown.get("title") or shown["name"]))
    if shown.get("mimetype") in PICTURES:
        return (
            f'<a class="picture" href="{address}" target="_blank" rel="noopener">'
            f'<img src="{address}" alt="{title}"></a>'
        )
    kind = escape(str(shown.get("filetype", "")).upper())
    return (
        f'<a class="file" href="{address}" download="{escape(str(shown["name"]))}">'
        f"<strong>{title}</strong><span>{kind} {_size(int(shown.get('size', 0)))}</span></a>"
    )


def _cell(cell: Json, rich_text: RichText) -> str:
    return rich_text(cell) if cell.get("type") == "rich_text" else escape(str(cell.get("text", "")))


def _size(size: int) -> str:
    """In the largest unit that leaves a whole number: 27 bytes, 3 MB."""
    power = min(len(_UNITS) - 1, max(0, (len(str(size)) - 1) // 3))
    return f"{size // 1000**power} {_UNITS[power]}"
