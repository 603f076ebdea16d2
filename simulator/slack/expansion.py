"""What Slack makes of Markdown when it stores a message: which blocks, and how large its tables are.

Slack turns Markdown, of a markdown block and of a stream, into rich_text, header, table and divider blocks,
and these count towards the limits. The fake only counts them: it keeps the Markdown, so that the page and the
tests can read what the app has written. In Slack it is lost.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_STRUCTURE = MarkdownIt("commonmark").enable("table")
# Emphasis, links and the like change nothing about the blocks, and take most of the time.
_STRUCTURE.core.ruler.enableOnly(["normalize", "block"])


@dataclass(frozen=True)
class Table:
    """The size of a table written in Markdown; the row with the headings counts."""

    rows: int
    columns: int
    characters: int


@dataclass(frozen=True)
class Expansion:
    """The blocks of a Markdown text: "rich_text", "header", "table" and "divider"."""

    kinds: tuple[str, ...]
    tables: tuple[Table, ...]


@lru_cache(maxsize=200)
def expand(markdown: str) -> Expansion:
    kinds: list[str] = []
    tables: list[Table] = []
    tokens = iter(_STRUCTURE.parse(markdown))
    for token in tokens:
        if token.level:  # in a list or a quotation
            continue
        if token.type == "heading_open":
            kinds.append("header")
            list(_until("heading_close", tokens))
        elif token.type == "hr":
            kinds.append("divider")
        elif token.type == "table_open":
            kinds.append("table")
            tables.append(_table(_until("table_close", tokens)))
        elif kinds[-1:] != ["rich_text"]:
            kinds.append("rich_text")
    return Expansion(tuple(kinds), tuple(tables))


def _until(end: str, tokens: Iterator[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == end:
            return
        yield token


def _table(tokens: Iterable[Token]) -> Table:
    kinds = []
    characters = 0
    for token in tokens:
        kinds.append(token.type)
        characters += len(token.content) if token.type == "inline" else 0
    return Table(kinds.count("tr_open"), kinds.count("th_open"), characters)
