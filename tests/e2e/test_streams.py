"""The catalogue of answers, through the real worker into the strict Slack, in both reply styles."""

import base64
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from markdown_it import MarkdownIt

from functions.bridge.replies.deliver import REST
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.wording import rest_in_file
from simulator.simulation import Simulation
from tests.e2e.bridge import Bridge
from tests.streams.catalogue import STREAMS, Document, Ending, Stream

pytestmark = pytest.mark.timeout(300)

ZERO_WIDTH_SPACE = "\u200b"
EXPLANATION = re.compile(r"\s*:warning: .*\(Reference: `[0-9a-f]{8}`\)$")
AT_ONCE = 6
Asked = dict[str, dict[str, Any]]


@pytest.fixture(scope="module", params=["edit", "stream"])
def bridge(request: pytest.FixtureRequest) -> Iterator[Bridge]:
    with Simulation(
        time_scale=0.1,
        style=request.param,
        concurrency=AT_ONCE,
        notify_after_seconds=900,  # a mention would be one more message
    ) as simulation:
        yield Bridge(simulation)


@pytest.fixture(scope="module")
def asked(bridge: Bridge) -> Asked:
    """The questions of all streams, by the streams' names, when all are over."""
    free = [stream for stream in STREAMS if stream.script is None]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        questions = list(pool.map(lambda stream: ask(stream, bridge), free))
    asked = {stream.name: question for stream, question in zip(free, questions, strict=True)}
    for stream in STREAMS:
        if stream.script is not None:  # a forced script is for whoever asks next
            bridge.simulation.agent.force(stream.script)
            asked[stream.name] = ask(stream, bridge)
    return asked


def ask(stream: Stream, bridge: Bridge) -> dict[str, Any]:
    files = [
        {"name": file.name, "mimetype": file.media_type, "bytes": base64.b64encode(file.data).decode()}
        for file in stream.attached
    ]
    more = {"files": files} if files else {}
    question = bridge.ask_in_parallel(f"@agent {stream.question}", **more)
    # When the agent was asked, and not when it had answered: a new day may have dawned.
    runs = bridge.invocations(question)
    asked_at = datetime.fromtimestamp(runs[0].started_at, UTC) if runs else datetime.now(UTC)
    return {**question, "asked_at": asked_at}


def markdown_of(message: dict[str, Any]) -> str:
    """What a message says, with its data table as Markdown."""
    shown = (block for block in message["blocks"] if block["type"] in ("markdown", "data_table"))
    return "\n\n".join(block["text"] if "text" in block else rows_of(block) for block in shown)


def rows_of(data_table: dict[str, Any]) -> str:
    head, *body = ([cell["text"] for cell in row] for row in data_table["rows"])
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body])


def messages_of(question: dict[str, Any], bridge: Bridge) -> list[str]:
    """What the thread says, with the file of an answer that is too long for messages as the last of them."""
    replies = bridge.replies(question)
    messages = [markdown_of(reply) for reply in replies if not reply.get("files")]
    files = bridge.simulation.slack.workspace.files
    for file in (file for reply in replies for file in reply.get("files") or []):
        if file["name"] == REST:
            assert len(messages) == ReplyOptions.max_messages
            messages[-1] = messages[-1].removesuffix(f"\n\n{rest_in_file(REST)}")
            messages.append(files.get(file["id"]).content.decode())  # type: ignore[union-attr]
    return messages


def rejoined(messages: list[str]) -> str:
    """One text: without the fences and heads of tables that continue what the message before broke off."""
    text = messages[0]
    for message in messages[1:]:
        lines, more = text.split("\n"), message.split("\n")
        blocks = [token for token in MarkdownIt("commonmark").enable("table").parse(text) if token.map]
        opened = [token for token in blocks if token.type in ("fence", "table_open")]
        first, end = opened[-1].map if opened and opened[-1].map else (0, 0)
        at_the_end = end >= len(text.rstrip().split("\n"))
        if at_the_end and opened[-1].type == "fence" and more[0] == lines[first]:
            text = "\n".join([*lines[: end - 1], *more[1:]])
        elif at_the_end and opened[-1].type == "table_open" and more[:2] == lines[first : first + 2]:
            text = "\n".join([*lines[:end], *more[2:]])
        else:
            text = f"{text}\n\n{message}"
    return text


def parsed(markdown: str) -> list[tuple[str, str]]:
    """The content of the blocks, in order."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    return [
        (token.type, token.info + " ".join(token.content.split()))
        for token in tokens
        if token.content.strip()
    ]


def with_numbers(words: str, numbers: str) -> str:
    """Numbers behind the words; behind code and tables as a paragraph of their own."""
    return f"{words}\n\n{numbers}" if words.endswith(("```", "|")) else f"{words} {numbers}"


def expected(stream: Stream, now: datetime) -> str:
    """What the user should read: the agent's words, with numbers for its sources."""
    text = stream.said(now)
    cited: list[Document] = []
    for words, documents in stream.citations:
        cited += [document for document in documents if document not in cited]
        numbers = " ".join(f"[{cited.index(document) + 1}]" for document in documents)
        assert words in text
        text = text.replace(words, with_numbers(words, numbers))
    # In the text of a link: behind the link.
    text = re.sub(r"(\[[^\[\]]*) (\[\d+\])([^\[\]]*\]\([^)]*\))", r"\1\3 \2", text)
    lines = [
        f"{number}. [{document.title}]({document.url})" if document.url else f"{number}. {document.title}"
        for number, document in enumerate(cited, start=1)
    ]
    listed = "\n".join(["\n\n**Sources**\n", *lines]) if cited else ""
    guarded = (
        "\n\n_A guardrail of the agent held back or changed a part of this._" if stream.intervened else ""
    )
    return text + listed + guarded


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_every_stream_ends_in_what_the_agent_said(stream: Stream, asked: Asked, bridge: Bridge) -> None:
    question = asked[stream.name]
    messages = messages_of(question, bridge)
    assert bridge.state(question) == stream.ending.value
    text = rejoined(messages).replace(ZERO_WIDTH_SPACE, "")
    if stream.ending is not Ending.ANSWERED:
        assert EXPLANATION.search(parsed(text)[-1][1])
        text = EXPLANATION.sub("", text)
    if stream.name == "wide table":
        assert "is in the file table-1.csv" in text
    else:
        assert parsed(text) == parsed(expected(stream, question["asked_at"]))


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.name)
def test_every_file_of_the_agents_is_in_the_thread(stream: Stream, asked: Asked, bridge: Bridge) -> None:
    question = asked[stream.name]
    names = [file["name"] for reply in bridge.replies(question) for file in reply.get("files") or []]
    if stream.name == "wide table":
        assert names == ["table-1.csv"]
    elif stream.name == "very long":
        assert names == [REST]
    else:
        assert names == [file.name for file in stream.files(question["asked_at"])]


def test_a_long_table_can_be_sorted(asked: Asked, bridge: Bridge) -> None:
    [table] = [
        reply for reply in bridge.replies(asked["long table"]) if reply["blocks"][0]["type"] == "data_table"
    ]
    [block] = table["blocks"]
    assert (block["caption"], len(block["rows"])) == ("Table of 150 rows", 151)
    assert [cell["type"] for cell in block["rows"][1]] == ["raw_number", "raw_text", "raw_text", "raw_number"]


def test_nothing_that_an_agent_says_notifies_anybody(asked: Asked, bridge: Bridge) -> None:
    replies = [reply for question in asked.values() for reply in bridge.replies(question)]
    assert not [reply["notifications"] for reply in replies if reply["notifications"]]


def test_no_stream_is_left_open(asked: Asked, bridge: Bridge) -> None:
    replies = [reply for question in asked.values() for reply in bridge.replies(question)]
    assert "in_progress" not in [reply["streaming_state"] for reply in replies if "streaming_state" in reply]


def test_slack_refuses_no_call(asked: Asked, bridge: Bridge) -> None:
    assert asked
    refused = [
        call for call in bridge.simulation.slack.web_api.calls if call.status != 200 or not call.result["ok"]
    ]
    assert [(call.method, call.result) for call in refused] == []
