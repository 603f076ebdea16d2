"""Slack's text markup: what a person types becomes entities, and which entities notify somebody.

docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`)", re.DOTALL)
_ENTITY = re.compile(r"<([^<>\n]+)>")
_NOTIFICATION = re.compile(
    r"<(?:!(?:channel|here|everyone)|@[UW][A-Z0-9]+|!subteam\^[A-Z0-9]+)(?:\|[^<>\n]*)?>"
)
_NAME = re.compile(r"(?<![\w@#])([@#])([a-z0-9][a-z0-9._-]*)", re.IGNORECASE)
_URL = re.compile(r"https?://(?:(?!&[lg]t;)[^\s<>|])*(?<![.,;:!?'\")\]])")
_BROADCASTS = {"channel", "here", "everyone"}


def encode_typed_text(text: str, users: Mapping[str, str], channels: Mapping[str, str]) -> str:
    """What Slack stores when a person types `text`.

    `& < >` become entities; outside code, `@name` becomes `<@U…>`, `#name` `<#C…|name>`, `@here` `<!here>`
    and a URL `<https://…>`. `users` and `channels` map names to ids; other names stay as typed.
    """
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def name(match: re.Match[str]) -> str:
        sign, typed = match.groups()
        known = typed.rstrip("._-").lower()
        rest = typed[len(known) :]
        if sign == "#":
            return f"<#{channels[known]}|{known}>{rest}" if known in channels else match.group()
        if known in _BROADCASTS:
            return f"<!{known}>{rest}"
        return f"<@{users[known]}>{rest}" if known in users else match.group()

    def link(match: re.Match[str]) -> str:
        return f"<{match.group()}>"

    def mark_up(plain: str) -> str:
        parts, end = [], 0
        for url in _URL.finditer(plain):
            parts += [_NAME.sub(name, plain[end : url.start()]), link(url)]
            end = url.end()
        return "".join([*parts, _NAME.sub(name, plain[end:])])

    return _outside_code(escaped, mark_up)


def notifications(text: str, blocks: list[dict[str, Any]]) -> list[str]:
    """The entities in `text` and `blocks`, outside code, that would notify people: `<!channel>`, `<@U…>` …"""
    found: list[str] = []

    def collect(plain: str) -> str:
        found.extend(_NOTIFICATION.findall(plain))
        return plain

    for source in (text, *_formatted_texts(blocks)):
        _outside_code(source, collect)
    return list(dict.fromkeys(found))


def mentions(text: str, user_id: str) -> bool:
    """Whether `text` mentions the user outside code."""
    return any(entity.startswith((f"<@{user_id}>", f"<@{user_id}|")) for entity in notifications(text, []))


def rich_text(text: str) -> list[dict[str, Any]]:
    """The rich_text block in which Slack stores a person's message, without styles."""
    elements: list[dict[str, Any]] = []
    for index, part in enumerate(_ENTITY.split(text)):
        if index % 2 == 0:
            elements += [{"type": "text", "text": _decode(part)}] if part else []
            continue
        target, _, label = part.partition("|")
        if target.startswith("@"):
            elements.append({"type": "user", "user_id": target[1:]})
        elif target.startswith("#"):
            elements.append({"type": "channel", "channel_id": target[1:]})
        elif target.startswith("!"):
            elements.append({"type": "broadcast", "range": target[1:]})
        else:
            link = {"type": "link", "url": _decode(target)}
            elements.append(link | ({"text": _decode(label)} if label else {}))
    return [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}]


def _decode(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if index % 2 else change(part) for index, part in enumerate(_CODE.split(text)))


def _formatted_texts(value: Any) -> Iterator[str]:
    """Every markdown and mrkdwn text in a tree of blocks; plain_text is never parsed."""
    if isinstance(value, list):
        for item in value:
            yield from _formatted_texts(item)
    elif isinstance(value, dict):
        if value.get("type") in ("markdown", "mrkdwn") and isinstance(value.get("text"), str):
            yield value["text"]
        if value.get("type") == "user" and isinstance(value.get("user_id"), str):
            yield f"<@{value['user_id']}>"
        if value.get("type") == "usergroup" and isinstance(value.get("usergroup_id"), str):
            yield f"<!subteam^{value['usergroup_id']}>"
        if value.get("type") == "broadcast" and isinstance(value.get("range"), str):
            yield f"<!{value['range']}>"
        for item in value.values():
            yield from _formatted_texts(item)
