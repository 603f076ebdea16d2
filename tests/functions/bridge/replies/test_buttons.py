import json
from dataclasses import replace

import pytest

from functions.bridge.fields import WrongField
from functions.bridge.replies.buttons import RetryValue, read_retry_value, retry_value
from tests.functions.fakes import TURN


def test_a_retry_button_names_the_next_attempt_and_nothing_that_was_asked() -> None:
    value = retry_value(replace(TURN, attempt=2))
    assert json.loads(value).keys() == {"version", "team", "channel", "ts", "user", "attempt"}
    assert read_retry_value(value) == RetryValue("T1", "C1", TURN.ts, "U1", attempt=3)


def test_a_value_fits_into_a_button() -> None:
    longest = RetryValue("T" * 31, "C" * 31, f"{'9' * 12}.{'9' * 9}", "U" * 31, 9_999)
    # docs.slack.dev/reference/block-kit/block-elements/button-element
    assert len(longest.to_json()) <= 2_000


@pytest.mark.parametrize(
    "value",
    [
        "",
        "not ours",
        "[]",
        "7",
        "[" * 100_000,
        '{"version":1}',
        retry_value(TURN).replace('"attempt":2', '"attempt":1'),
        retry_value(TURN).replace('"attempt":2', f'"attempt":{"9" * 41}'),
        retry_value(TURN).replace('"user":"U1"', '"user":null'),
        retry_value(TURN).replace('"user":"U1"', '"user":"\\ud800"'),
    ],
)
def test_any_other_value_is_refused(value: str) -> None:
    with pytest.raises(WrongField):
        read_retry_value(value)
