from typing import Any

import pytest

from simulator.slack.mrkdwn import encode_typed_text, mentions, notifications, rich_text

USERS = {"agent": "U0AGENT01", "alice": "U01ALICE"}
CHANNELS = {"general": "C01GENERAL"}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("@agent hi", "<@U0AGENT01> hi"),
        ("ask @Alice, or @alice.", "ask <@U01ALICE>, or <@U01ALICE>."),
        ("me@alice.example and @nobody", "me@alice.example and @nobody"),
        ("see #general, not #1", "see <#C01GENERAL|general>, not #1"),
        ("@channel @here", "<!channel> <!here>"),
        ("https://x.org/?a=1&b=2.", "<https://x.org/?a=1&amp;b=2>."),
        ("<https://x.org>", "&lt;<https://x.org>&gt;"),
        ("https://x.org/@alice", "<https://x.org/@alice>"),
        ("`@alice` and ```\n@alice\n```", "`@alice` and ```\n@alice\n```"),
        ("<@U01ALICE>", "&lt;@U01ALICE&gt;"),
    ],
)
def test_typed_text_is_stored_as_slack_stores_it(typed: str, stored: str) -> None:
    assert encode_typed_text(typed, USERS, CHANNELS) == stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<!channel> <!here|here> <!everyone>", ["<!channel>", "<!here|here>", "<!everyone>"]),
        ("<@U01ALICE> <@W01> <@U01ALICE|al>", ["<@U01ALICE>", "<@W01>", "<@U01ALICE|al>"]),
        ("<!subteam^S012> <!subteam^S012|@x>", ["<!subteam^S012>", "<!subteam^S012|@x>"]),
        ("`<!here>` and\n```\n<!channel>\n```", []),
        ("```\nnot closed <!channel>", []),
        ("&lt;!channel&gt; <\u200b!channel> <#C01|x> <https://x.org> @here", []),
    ],
)
def test_notifications_are_the_entities_outside_code(text: str, found: list[str]) -> None:
    assert notifications(text, []) == found


def test_notifications_are_found_in_formatted_blocks_and_not_in_plain_text() -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "markdown", "text": "<!here>"},
        {"type": "section", "text": {"type": "mrkdwn", "text": "<!channel>"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "<@U01ALICE>"}]},
        {"type": "header", "text": {"type": "plain_text", "text": "<!everyone>"}},
        {"type": "rich_text", "elements": [{"type": "usergroup", "usergroup_id": "S01"}]},
    ]
    assert notifications("", blocks) == ["<!here>", "<!channel>", "<@U01ALICE>", "<!subteam^S01>"]


def test_a_mention_is_of_the_whole_id() -> None:
    assert mentions("<@U01ALICE|alice> hi", "U01ALICE")
    assert not mentions("<@U01ALICE2>", "U01ALICE")


def test_rich_text_holds_the_decoded_text() -> None:
    [block] = rich_text("<@U01> a &amp;&lt; <https://x.org|x> <!here> <#C01|general>")
    assert block["elements"][0]["elements"] == [
        {"type": "user", "user_id": "U01"},
        {"type": "text", "text": " a &< "},
        {"type": "link", "url": "https://x.org", "text": "x"},
        {"type": "text", "text": " "},
        {"type": "broadcast", "range": "here"},
        {"type": "text", "text": " "},
        {"type": "channel", "channel_id": "C01"},
    ]
