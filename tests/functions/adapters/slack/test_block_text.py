"""The text of blocks, as Slack tells a message of an app back."""

from typing import Any

from functions.adapters.slack.block_text import block_text


def section(*elements: dict[str, Any], kind: str = "rich_text_section") -> dict[str, Any]:
    return {"type": kind, "elements": list(elements)}


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def test_an_answer_that_slack_has_taken_apart_is_read_in_order() -> None:
    table = {
        "type": "table",
        "rows": [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]],
    }
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "Weather"}, "level": 2},
        {"type": "divider"},
        section(
            section(words("It is "), {"type": "text", "text": "sunny", "style": {"bold": True}}),
            section(section(words("hot")), section(words("dry")), kind="rich_text_list"),
            section(words("x = 1"), kind="rich_text_preformatted"),
            kind="rich_text",
        ),
        table,
    ]
    assert block_text(blocks) == "Weather\nIt is sunny\nhot\ndry\nx = 1\na | b"


def test_mentions_links_and_emoji_stay_readable() -> None:
    elements = [
        {"type": "user", "user_id": "U2"},
        words(", see "),
        {"type": "link", "url": "https://example.com", "text": "this"},
        words(" or "),
        {"type": "link", "url": "https://example.org"},
        {"type": "emoji", "name": "wave"},
        {"type": "broadcast", "range": "here"},
        {"type": "channel", "channel_id": "C1"},
    ]
    expected = "<@U2>, see this (https://example.com) or https://example.org:wave:<!here><#C1>"
    assert block_text([section(section(*elements), kind="rich_text")]) == expected


def test_markdown_that_stands_as_it_was_sent_and_sections_are_read() -> None:
    blocks = [
        {"type": "markdown", "text": "It is **sunny**."},
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "*Build*"},
            "fields": [{"type": "mrkdwn", "text": " 12"}],
        },
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "by CI"}]},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Retry"}}],
        },
        {"type": "image", "image_url": "https://example.com/a.png"},
    ]
    assert block_text(blocks) == "It is **sunny**.\n*Build* 12\nby CI"


def test_what_is_no_list_of_blocks_says_nothing() -> None:
    values: list[Any] = [None, "text", 1, [None, 1, ["x"], {}], {"type": "table", "rows": {"a": 1}}]
    for value in values:
        assert block_text(value) == ""
