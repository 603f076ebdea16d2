"""Messages as HTML. What an agent or a person wrote never becomes markup of the page.

Markdown is rendered by markdown-it-py with HTML switched off; the rules added here are Slack's own ways:
entities such as `<@U…>`, bare URLs, pictures shown as links. The page's Content-Security-Policy forbids style
attributes, so a column's alignment is a class.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from simulator.page import cards
from simulator.slack import mrkdwn
from simulator.slack.workspace import Json

_ENTITY = re.compile(r"<([@#!])([\w^.-]+)(?:\|([^<>\n]*))?>")
_URL = re.compile(r"https?://[^\s<>|]*[^\s<>|.,;:!?'\")\]]")
_SAFE_URL = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_CODE = re.compile(r"```\n?(.*?)\n?```|`([^`\n]+)`", re.DOTALL)
# Slack's names of a few emoji: those that the bridge may use, and what an agent is likely to write.
_EMOJI = {
    "warning": "⚠️",
    "raised_hand": "✋",
    "no_entry_sign": "🚫",
    "white_check_mark": "✅",
    "x": "❌",
    "no_entry": "⛔",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "octagonal_sign": "🛑",
    "repeat": "🔁",
    "mag": "🔍",
    "bulb": "💡",
    "thumbsup": "👍",
    "thumbsdown": "👎",
    "paperclip": "📎",
    "lock": "🔒",
    "wave": "👋",
    "sunny": "☀️",
    "rain_cloud": "🌧️",
}
_EMOJI_NAME = re.compile(r":([a-z0-9_+-]+):")
_LINK_ATTRIBUTES = {"target": "_blank", "rel": "noopener noreferrer nofollow"}


class Renderer:
    """Renders with the names that go with ids: "@alice" for a user's, "#general" for a channel's."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._markdown = _Markdown("commonmark", {"html": False, "breaks": True})
        self._markdown.enable(["table", "strikethrough"])
        self._markdown.inline.ruler.before("autolink", "entity", _entity)
        self._markdown.core.ruler.push("bare_urls", _link_bare_urls)
        self._markdown.core.ruler.push("emoji", _show_emoji)
        self._markdown.core.ruler.push("attributes", _set_attributes)
        for name, rule in (
            ("entity", _render_entity),
            ("fence", _render_fence),
            ("code_block", _render_fence),
            ("image", _render_image),
            ("table_open", _render_table_open),
            ("table_close", _render_table_close),
        ):
            self._markdown.add_render_rule(name, rule)
        # Every browser that comes is shown the same messages.
        self._remembered = lru_cache(maxsize=500)(self._render)

    def message(self, message: Json) -> str:
        """The HTML of a message as `Workspace.render` shows it.

        It shows the blocks, or without any the text, and the files.
        """
        is_growing = message.get("streaming_state") == "in_progress"
        shown = "".join(self._block(block, is_growing=is_growing) for block in message.get("blocks", []))
        files = "".join(map(cards.file, message.get("files", [])))
        if not shown and (message["text"] or not files):
            shown = self._text(message["text"])
        return shown + (f'<div class="files">{files}</div>' if files else "")

    def _render(self, markdown: str) -> str:
        return str(self._markdown.render(markdown, {"names": self._names}))

    def _block(self, block: Json, *, is_growing: bool) -> str:
        match block:
            case {"type": "markdown", "text": str(text)}:
                return f'<div class="markdown">{self._remembered(text)}</div>'
            case {"type": "rich_text"}:
                return self._rich_text(block)
            case {"type": "actions", "elements": list(elements)}:
                return f'<div class="buttons">{"".join(map(_button, elements))}</div>'
            case {"type": "task_card"}:
                return cards.task_card(block, self._rich_text, _link)
            case {"type": "plan"}:
                tasks = (cards.task_card(task, self._rich_text, _link) for task in block.get("tasks", []))
                return cards.plan(block, "".join(tasks), is_growing=is_growing)
            case {"type": "table"}:
                return cards.table(block, self._rich_text)
            case {"type": "data_table"}:
                return cards.data_table(block, self._rich_text)
            case {"type": "header", "text": {"text": str(text)}}:
                return f'<p class="block-header">{escape(text)}</p>'
            case {"type": "section", "text": {"type": "plain_text", "text": str(text)}}:
                return cards.plain_text(text, is_folded=not block.get("expand"))
            case {"type": "input", "label": {"text": str(label)}, "element": dict(element)}:
                return cards.text_input(label, element)
            case {"type": "section", "text": {"text": str(text)}}:
                return self._text(text)
            case {"type": "context", "elements": list(elements)}:
                texts = (self._text(str(element["text"])) for element in elements if "text" in element)
                return f'<div class="context">{"".join(texts)}</div>'
            case {"type": "divider"}:
                return "<hr>"
        return ""

    def _text(self, text: str) -> str:
        """Slack's own markup."""
        return self._rich_text(mrkdwn.rich_text(text)[0])

    def _rich_text(self, block: Json) -> str:
        sections = block.get("elements", [])
        return "".join(
            f'<p class="rich-text">{"".join(self._elements(section.get("elements", [])))}</p>'
            for section in sections
        )

    def _elements(self, elements: Iterable[Json]) -> Iterator[str]:
        for element in elements:
            match element:
                case {"type": "text", "text": str(text)}:
                    yield _typed(text)
                case {"type": "user", "user_id": str(user_id)}:
                    yield _mention("@", user_id, self._names)
                case {"type": "channel", "channel_id": str(channel_id)}:
                    yield _mention("#", channel_id, self._names)
                case {"type": "broadcast", "range": str(everybody)}:
                    yield _mention("!", everybody, self._names)
                case {"type": "link", "url": str(url)}:
                    yield _link(url, element.get("text") or url)


def _button(element: Json) -> str:
    """A button; pressing it tells the app its action id."""
    label, action_id = str(element["text"]["text"]), str(element["action_id"])
    return (
        f'<button type="button" class="app-button {escape(str(element.get("style", "")))}" '
        f'data-action="{escape(action_id)}">{escape(label)}</button>'
    )


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        return bool(_SAFE_URL.match(url))


def _typed(text: str) -> str:
    """What a person typed; of Markdown, people write code into a chat."""
    parts: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        block, span = code.groups()
        parts.append(escape(text[end : code.start()]))
        fenced = f'<pre tabindex="0"><code>{escape(block or "")}</code></pre>'
        parts.append(fenced if span is None else _code_span(span))
        end = code.end()
    return "".join([*parts, escape(text[end:])])


def _code_span(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _mention(sign: str, target: str, names: Mapping[str, str], label: str = "") -> str:
    """A highlighted name. Those that notify a crowd look different, so that nobody overlooks one."""
    if sign == "!":
        return f'<span class="mention broadcast">@{escape(label.lstrip("@") or target)}</span>'
    name = names.get(target) or f"{sign}{label or target}"
    return f'<span class="mention">{escape(name)}</span>'


def _link(url: str, text: str) -> str:
    if not _SAFE_URL.match(url):
        return escape(text)
    attributes = "".join(f' {name}="{value}"' for name, value in _LINK_ATTRIBUTES.items())
    return f'<a href="{escape(url)}"{attributes}>{escape(text)}</a>'


# --- rules of markdown-it: https://markdown-it-py.readthedocs.io/en/latest/using.html ---


def _entity(state: StateInline, silent: bool) -> bool:
    match = _ENTITY.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        token = state.push("entity", "", 0)
        token.meta = {"sign": match[1], "target": match[2], "label": match[3] or ""}
    state.pos = match.end()
    return True


def _link_bare_urls(state: StateCore) -> None:
    for token in state.tokens:
        if token.children:
            token.children = list(_with_links(token.children))


def _with_links(tokens: Iterable[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if depth or token.type != "text":
            yield token
            continue
        end = 0
        for url in _URL.finditer(token.content):
            yield Token("text", "", 0, content=token.content[end : url.start()])
            yield Token("link_open", "a", 1, attrs={"href": url.group()})
            yield Token("text", "", 0, content=url.group())
            yield Token("link_close", "a", -1)
            end = url.end()
        yield Token("text", "", 0, content=token.content[end:])


def _show_emoji(state: StateCore) -> None:
    for token in _all(state.tokens):
        if token.type == "text":
            token.content = _EMOJI_NAME.sub(lambda name: _EMOJI.get(name[1], name[0]), token.content)


def _set_attributes(state: StateCore) -> None:
    for token in _all(state.tokens):
        if token.type == "link_open":
            token.attrs |= _LINK_ATTRIBUTES
        if style := token.attrs.pop("style", None):  # "text-align:right" of a table's cell
            token.attrSet("class", f"align-{str(style).rpartition(':')[2]}")


def _all(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or [])


def _render_entity(
    _self: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, env: EnvType
) -> str:
    meta: dict[str, Any] = tokens[index].meta
    return _mention(meta["sign"], meta["target"], env["names"], meta["label"])


def _render_fence(
    _self: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """Code under the name of its language, if it has one. It may be wide: the keyboard can scroll it too."""
    words = tokens[index].info.split()
    named = f' data-language="{escape(words[0])}"' if words else ""
    return f'<pre{named} tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _render_image(
    _self: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType
) -> str:
    """A link, as in Slack: the page fetches nothing from addresses that an agent wrote."""
    url = str(tokens[index].attrs.get("src", ""))
    return _link(url, tokens[index].content or url)


def _render_table_open(
    _self: RendererProtocol, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return '<div class="table" tabindex="0"><table>'


def _render_table_close(
    _self: RendererProtocol, _tokens: Sequence[Token], _index: int, _options: OptionsDict, _env: EnvType
) -> str:
    return "</table></div>"
