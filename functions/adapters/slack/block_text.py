"""The text of Block Kit's blocks, for a message that an app has written: its `text` is only a summary.

Slack makes rich_text, headers and tables of an app's Markdown, and tells the message so.
docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Iterator, Mapping
from typing import Any

# Blocks of a rich_text block that end their line.
_LINES = {"rich_text_section", "rich_text_quote", "rich_text_preformatted"}


def block_text(blocks: Any) -> str:
    """What blocks say, in plain text with a line for each piece; "" for what is no list of blocks.

    Mentions stand in it as Slack escapes them, such as "<@U…>".
    """
    lines = "".join(_pieces(blocks)).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _pieces(one)
        return
    if not isinstance(value, Mapping):
        return
    kind, text = value.get("type"), value.get("text")
    match kind:
        case "user":
            yield f"<@{value.get('user_id', '')}>"
        case "channel":
            yield f"<#{value.get('channel_id', '')}>"
        case "usergroup":
            yield f"<!subteam^{value.get('usergroup_id', '')}>"
        case "broadcast":
            yield f"<!{value.get('range', '')}>"
        case "emoji":
            yield f":{value.get('name', '')}:"
        case "link":
            url = str(value.get("url", ""))
            yield f"{text} ({url})" if isinstance(text, str) and text and text != url else url
        case "table" | "data_table":
            yield from _rows(value.get("rows"))
        case _ if isinstance(text, str):
            yield text if kind in ("text", "mrkdwn", "plain_text", "raw_text", "raw_number") else f"{text}\n"
        case _:
            yield from _pieces(text)
            yield from _pieces(value.get("fields"))
            if kind != "actions":  # labels of buttons
                yield from _pieces(value.get("elements"))
            if kind in _LINES or kind in ("header", "section", "context"):
                yield "\n"


def _rows(rows: Any) -> Iterator[str]:
    for row in rows if isinstance(rows, list) else ():
        yield " | ".join("".join(_pieces(cell)).strip() for cell in row if isinstance(row, list)) + "\n"
