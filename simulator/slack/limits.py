"""Slack's limits of a message's content, each with the error name that Slack gives.

Lengths are in characters. Sources: docs.slack.dev/reference/methods/chat.postMessage and chat.update,
docs.slack.dev/reference/block-kit/blocks, docs.slack.dev/messaging/message-metadata.
"""

import json
from collections.abc import Iterator
from typing import Any

from simulator.slack.errors import SlackError, refusal
from simulator.slack.expansion import expand

Json = dict[str, Any]

TEXT_OF_UPDATE = 4_000
TEXT_OF_POST = 40_000
MARKDOWN = 12_000  # markdown_text, and all markdown blocks of a message together
# A message of several kinds of blocks is refused from about here on: github.com/slackapi/bolt-js/issues/2509
BLOCKS_TEXT = 13_200
BLOCKS = 50
SECTION_TEXT = 3_000
INPUT_LABEL = 2_000
INPUT_LENGTH = range(1, 3_001)
BUTTON_STYLES = ("primary", "danger")
HEADER_TEXT = 150
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
ACTION_ID = 255
ACTION_ELEMENTS = 25
CONTEXT_ELEMENTS = 10
CONTEXT_ACTION_ELEMENTS = 5
TABLES = 1
TABLE_ROWS = 100
TABLE_CELLS = 20
TABLE_TEXT = 10_000
DATA_TABLE_ROWS = range(2, 202)  # with the row of the headings
DATA_TABLE_CELLS = range(1, 21)
DATA_TABLE_TEXT = 20_000  # and of all data tables of a message together
DATA_TABLE_PAGE = range(1, 101)

MESSAGE_BLOCKS = {
    "actions",
    "context",
    "context_actions",
    "data_table",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "markdown",
    "plan",
    "rich_text",
    "section",
    "table",
    "task_card",
    "video",
}


def check_content(text: str | None, blocks: list[Json] | None, markdown_text: str | None) -> None:
    """Raises SlackError no_text, markdown_text_conflict, msg_too_long, or what `check_expansion` raises."""
    if markdown_text is not None and (text is not None or blocks is not None):
        raise SlackError("markdown_text_conflict")
    if not any((text, blocks, markdown_text)):
        raise SlackError("no_text")
    if len(markdown_text or "") > MARKDOWN:
        raise SlackError("msg_too_long")
    check_expansion([{"type": "markdown", "text": markdown_text or ""}])


def parse_blocks(given: Any) -> list[Json]:
    """The blocks of an argument, which is a list or a JSON string.

    Raises SlackError invalid_blocks_format, invalid_blocks, msg_too_long, msg_blocks_too_long or
    msg_blocks_too_many.
    """
    blocks = parsed(given, "invalid_blocks_format")
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise SlackError("invalid_blocks_format")
    problems = [*_problems(blocks), *_repeated_ids(blocks)]
    if problems:
        raise refusal("invalid_blocks", *problems)
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN:
        raise SlackError("msg_too_long")
    if sum(map(len, _texts([block for block in blocks if block["type"] != "data_table"]))) > BLOCKS_TEXT:
        raise SlackError("msg_blocks_too_long")
    check_expansion(blocks)
    return blocks


def check_expansion(blocks: list[Json]) -> None:
    """The limits of what Slack makes of the Markdown in `blocks`.

    A message takes one table, and all its tables together 10,000 characters.
    docs.slack.dev/reference/block-kit/blocks/table-block, github.com/vellum-ai/vellum-assistant/pull/36219
    Whether a data table may stand beside another table nobody has said: here it may not.

    Raises SlackError invalid_blocks for a table, invalid_attachments for a second one, msg_blocks_too_many.
    """
    count = sum(block["type"] != "markdown" for block in blocks)
    tables = sum(block["type"] in ("table", "data_table") for block in blocks)
    characters = sum(len(text) for block in blocks if block["type"] == "table" for text in _texts(block))
    for index, block in enumerate(blocks):
        if block["type"] != "markdown":
            continue
        expansion = expand(block["text"])
        count += len(expansion.kinds)
        tables += len(expansion.tables)
        characters += sum(table.characters for table in expansion.tables)
        for table in expansion.tables:
            if table.rows > TABLE_ROWS or table.columns > TABLE_CELLS or table.characters > TABLE_TEXT:
                raise refusal("invalid_blocks", f"a table is too large [json-pointer:/blocks/{index}]")
    if tables > TABLES:
        raise refusal("invalid_attachments", "only_one_table_allowed")
    if characters > TABLE_TEXT:
        raise refusal(
            "invalid_blocks", f"tables must be less than {TABLE_TEXT + 1} characters [json-pointer:/blocks]"
        )
    if count > BLOCKS:
        raise SlackError("msg_blocks_too_many")


def parse_metadata(given: Any) -> Json:
    """The metadata of an argument; an empty object means none.

    Raises SlackError invalid_metadata_format or invalid_metadata_schema.
    """
    metadata = parsed(given, "invalid_metadata_format")
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if not metadata:
        return {}
    if not isinstance(metadata.get("event_type"), str) or not metadata["event_type"]:
        raise SlackError("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    if set(metadata) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_schema")
    return metadata


def parsed(given: Any, error: str) -> Any:
    """An argument that may be given as a JSON string. Raises SlackError `error`."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except ValueError:
        raise SlackError(error) from None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if name == "text" and isinstance(item, str):
                yield item
            else:
                yield from _texts(item)


def _problems(blocks: list[Json]) -> Iterator[str]:
    if len(blocks) > BLOCKS:
        yield _too_many(BLOCKS, "/blocks")
    for index, block in enumerate(blocks):
        yield from _block_problems(block, f"/blocks/{index}")


def _block_problems(block: Json, at: str) -> Iterator[str]:
    kind = block.get("type")
    if kind not in MESSAGE_BLOCKS:
        yield f"unsupported type: {kind} [json-pointer:{at}/type]"
    elif kind == "markdown":
        yield from _string_problems(block, "text", at, None)  # too long is msg_too_long, which comes later
    elif kind == "section":
        yield from _section_problems(block, at)
    elif kind == "input":
        yield from _input_problems(block, at)
    elif kind == "header":
        yield from _text_object_problems(block.get("text"), f"{at}/text", HEADER_TEXT, {"plain_text"})
    elif kind in ("actions", "context", "context_actions"):
        yield from _element_problems(block, at)
    elif kind == "table":
        yield from _table_problems(block, at)
    elif kind == "data_table":
        yield from _data_table_problems(block, at)


def _section_problems(block: Json, at: str) -> Iterator[str]:
    if "text" in block:
        yield from _text_object_problems(block["text"], f"{at}/text", SECTION_TEXT, {"plain_text", "mrkdwn"})
    elif not block.get("fields"):
        yield f"missing required field: fields or text [json-pointer:{at}]"


def _repeated_ids(blocks: list[Json]) -> Iterator[str]:
    """A message has each block id once, and a block each action id."""
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len({*ids}) < len(ids):
        yield "block_id must be unique [json-pointer:/blocks]"
    for index, block in enumerate(blocks):
        elements = block.get("elements", [])
        actions = [one["action_id"] for one in elements if isinstance(one, dict) and "action_id" in one]
        if len({*actions}) < len(actions):
            yield f"action_id must be unique in a block [json-pointer:/blocks/{index}/elements]"


def _input_problems(block: Json, at: str) -> Iterator[str]:
    """docs.slack.dev/reference/block-kit/blocks/input-block"""
    yield from _text_object_problems(block.get("label"), f"{at}/label", INPUT_LABEL, {"plain_text"})
    element = block.get("element")
    if not isinstance(element, dict) or element.get("type") != "plain_text_input":
        yield f"unsupported type of element [json-pointer:{at}/element/type]"
        return
    yield from _string_problems(element, "action_id", f"{at}/element", ACTION_ID)
    if element.get("max_length", 1) not in INPUT_LENGTH:
        yield f"must be 1 to 3000 [json-pointer:{at}/element/max_length]"


def _element_problems(block: Json, at: str) -> Iterator[str]:
    limits = {
        "actions": ACTION_ELEMENTS,
        "context": CONTEXT_ELEMENTS,
        "context_actions": CONTEXT_ACTION_ELEMENTS,
    }
    elements = block.get("elements")
    if not isinstance(elements, list) or not elements:
        yield f"missing required field: elements [json-pointer:{at}/elements]"
        return
    if len(elements) > limits[block["type"]]:
        yield _too_many(limits[block["type"]], f"{at}/elements")
    for index, element in enumerate(elements):
        here = f"{at}/elements/{index}"
        if isinstance(element, dict) and element.get("type") == "button":
            yield from _text_object_problems(element.get("text"), f"{here}/text", BUTTON_TEXT, {"plain_text"})
            if element.get("style", "primary") not in BUTTON_STYLES:
                yield f"must be primary or danger [json-pointer:{here}/style]"
            if "value" in element:
                yield from _string_problems(element, "value", here, BUTTON_VALUE)
            if "action_id" in element:
                yield from _string_problems(element, "action_id", here, ACTION_ID)


def _table_problems(block: Json, at: str) -> Iterator[str]:
    rows = block.get("rows")
    if not isinstance(rows, list) or not rows:
        yield f"missing required field: rows [json-pointer:{at}/rows]"
        return
    if len(rows) > TABLE_ROWS:
        yield _too_many(TABLE_ROWS, f"{at}/rows")
    for index, row in enumerate(rows):
        if isinstance(row, list) and len(row) > TABLE_CELLS:
            yield _too_many(TABLE_CELLS, f"{at}/rows/{index}")
    if sum(map(len, _texts(rows))) > TABLE_TEXT:
        yield f"must be less than {TABLE_TEXT + 1} characters [json-pointer:{at}/rows]"


def _data_table_problems(block: Json, at: str) -> Iterator[str]:
    """docs.slack.dev/reference/block-kit/blocks/data-table-block"""
    yield from _string_problems(block, "caption", at, None)
    page, header = block.get("page_size", 5), block.get("row_header_column_index", 0)
    if not isinstance(page, int) or page not in DATA_TABLE_PAGE:
        yield f"must be 1 to 100 [json-pointer:{at}/page_size]"
    rows = block.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        yield f"missing required field: rows [json-pointer:{at}/rows]"
        return
    if len(rows) not in DATA_TABLE_ROWS:
        yield f"must have 2 to 201 rows [json-pointer:{at}/rows]"
    if len({len(row) for row in rows}) > 1 or any(len(row) not in DATA_TABLE_CELLS for row in rows):
        yield f"all rows must have the same number of cells, 1 to 20 [json-pointer:{at}/rows]"
    if not isinstance(header, int) or not 0 <= header < max(map(len, rows), default=1):
        yield f"must be the index of a column [json-pointer:{at}/row_header_column_index]"
    for index, row in enumerate(rows):
        kinds = {"raw_text", "raw_number"} | ({"rich_text"} if index else set())
        for column, cell in enumerate(row):
            yield from _cell_problems(cell, f"{at}/rows/{index}/{column}", kinds)
    if sum(map(len, _texts(rows))) > DATA_TABLE_TEXT:
        yield f"must be less than {DATA_TABLE_TEXT + 1} characters [json-pointer:{at}/rows]"


def _cell_problems(cell: Any, at: str, kinds: set[str]) -> Iterator[str]:
    if not isinstance(cell, dict) or cell.get("type") not in kinds:
        yield f"must be a cell of type {' or '.join(sorted(kinds))} [json-pointer:{at}]"
    elif cell["type"] != "rich_text":
        yield from _string_problems(cell, "text", at, None)
        value = cell.get("value")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if cell["type"] == "raw_number" and not is_number:
            yield f"missing required field: value [json-pointer:{at}/value]"


def _text_object_problems(value: Any, at: str, limit: int, kinds: set[str]) -> Iterator[str]:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        yield f"must be a text object of type {' or '.join(sorted(kinds))} [json-pointer:{at}]"
    else:
        yield from _string_problems(value, "text", at, limit)


def _string_problems(holder: Json, name: str, at: str, limit: int | None) -> Iterator[str]:
    value = holder.get(name)
    if not isinstance(value, str):
        yield f"missing required field: {name} [json-pointer:{at}]"
    elif not value:
        yield f"must be more than 0 characters [json-pointer:{at}/{name}]"
    elif limit is not None and len(value) > limit:
        yield f"must be less than {limit + 1} characters [json-pointer:{at}/{name}]"


def _too_many(limit: int, at: str) -> str:
    return f"no more than {limit} items allowed [json-pointer:{at}]"
