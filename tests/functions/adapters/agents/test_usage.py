"""The tokens that agents report. What each wire sends stands in the tests of its adapter."""

import json
from typing import Any

import pytest

from functions.adapters.agents.harness_events import HarnessTranslator
from functions.adapters.agents.runtime_events import RuntimeTranslator
from functions.adapters.agents.usage import MOST_TOKENS, usage_in
from functions.bridge.agents.events import Finished, TextDelta, Usage

# What agents' own code may send instead of `usage`, as JSON has it.
MALFORMED = [
    *("null", "7", '"7"', "[7, 7]", "{}"),
    *('{"inputTokens": 7}', '{"outputTokens": 7}', '{"inputTokens": 7, "outputTokens": null}'),
    '{"inputTokens": "7", "outputTokens": 7}',
    '{"inputTokens": 7, "outputTokens": -1}',
    '{"inputTokens": 7, "outputTokens": 7.5}',
    '{"inputTokens": true, "outputTokens": 7}',
    '{"inputTokens": NaN, "outputTokens": 7}',
    '{"inputTokens": 7, "outputTokens": Infinity}',
    f'{{"inputTokens": {MOST_TOKENS + 1}, "outputTokens": 7}}',
    f'{{"inputTokens": 7, "outputTokens": {10**400}}}',
    '{"inputTokens": {"total": 7}, "outputTokens": 7}',
    '{"input_tokens": 7, "output_tokens": 7}',
]
malformed = pytest.mark.parametrize(
    "usage", [json.loads(one) for one in MALFORMED], ids=[one[:50] for one in MALFORMED]
)


@pytest.mark.parametrize("count", [0, 1, MOST_TOKENS])
def test_counts_are_taken_as_they_come(count: int) -> None:
    assert [*usage_in({"inputTokens": count, "outputTokens": 2, "totalTokens": 9})] == [Usage(count, 2)]


@malformed
def test_what_is_no_count_is_no_usage(usage: Any) -> None:
    assert [*usage_in(usage)] == []


@malformed
def test_an_answer_of_strands_with_a_malformed_usage_is_whole(usage: Any) -> None:
    translate = RuntimeTranslator()
    said = {"contentBlockDelta": {"delta": {"text": "Sunny."}, "contentBlockIndex": 0}}
    items = [{"event": said}, {"event": {"metadata": {"usage": usage}}}, {"event": {"metadata": usage}}]
    heard = [event for item in items for event in translate(item)]
    assert [*heard, *translate.end()] == [TextDelta("Sunny."), Finished()]


@malformed
def test_an_answer_of_ag_ui_with_a_malformed_usage_is_whole(usage: Any) -> None:
    translate = RuntimeTranslator()
    good = {"inputTokens": 7, "outputTokens": 1}
    items = [
        {"type": "RUN_STARTED"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "Sunny."},
        {"type": "RUN_FINISHED", "usage": [usage, good]},
    ]
    heard = [event for item in items for event in translate(item)]
    assert [*heard, *translate.end()] == [TextDelta("Sunny."), Usage(7, 1), Finished()]
    assert [*RuntimeTranslator()({"type": "RUN_FINISHED", "usage": usage})] == []


@malformed
def test_an_answer_of_a_harness_with_a_malformed_usage_is_whole(usage: Any) -> None:
    translate = HarnessTranslator()
    members: list[dict[str, Any]] = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "Sunny."}}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": usage}},
        {"metadata": {}},
    ]
    heard = [event for member in members for event in translate(member)]
    assert [*heard, *translate.end()] == [TextDelta("Sunny."), Finished()]
