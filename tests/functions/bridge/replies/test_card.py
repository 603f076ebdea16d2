"""The card with which an agent asks: everything is shown, nothing of it is taken for the bridge's own."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.bridge import wording
from functions.bridge.admission.approvers import ASKER, ApproverRule, Approvers
from functions.bridge.agents.events import ToolRequest, Wanted
from functions.bridge.ledger.pauses import Decided, Decision, Pause
from functions.bridge.replies import card

AT = 1_700_000_000.0


def request(arguments: object, *, name: str = "send_email", message: str = "") -> ToolRequest:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return ToolRequest("1", name, text, Wanted.CONSENT, message=message)


def pause_of(*requests: ToolRequest, approvers: Approvers = ASKER, seconds: float = 900.0) -> Pause:
    return Pause("0" * 32, "default", "session", "", "U1", requests, approvers, AT, AT + seconds)


@pytest.mark.parametrize(
    "name",
    [
        *("password", "db_password", "apiKey", "api-key", "API_KEY", "access_token", "client_secret"),
        *("passphrase", "accessKey", "signing key", "Set-Cookie", "bearer", "Authorization"),
    ],
)
def test_a_secret_is_masked_by_its_name_however_deep_it_lies(name: str) -> None:
    [shown] = card.details((request({"login": {"list": [{name: "s3cret", "user": "ann"}]}}),))
    assert "s3cret" not in shown
    assert "ann" in shown


@pytest.mark.parametrize(
    "value",
    [
        json.dumps({"login": {"password": "s3cret", "user": "ann"}}),
        json.dumps(["ann", {"body": json.dumps({"api_key": "s3cret"})}]),
        [{"name": "Authorization", "value": "s3cret"}, {"name": "user", "value": "ann"}],
        [{"Key": "db_password", "Value": ["s3cret"]}, {"Key": "user", "Value": "ann"}],
    ],
)
def test_a_secret_is_masked_in_json_and_in_pairs_of_name_and_value(value: object) -> None:
    shown = "".join(card.details((request({"body": value}),)))
    assert "s3cret" not in shown
    assert "ann" in shown


def test_json_without_a_secret_is_shown_as_it_is() -> None:
    for text in ('{"a":  1}', "[1,2", '"s3cret"', "{a: b}", '[{"name": "user",  "value": "ann"}]'):
        assert card.details((request({"body": text}),)) == [f"body: {text}"]


def test_what_is_no_secret_is_shown_whole() -> None:
    text = "line\n" * 1500
    shown = "\n".join(card.details((request({"body": text}),)))
    assert shown == "body: " + text.replace("\n", "\n| ")


def test_signs_that_nobody_sees_are_shown_by_their_numbers() -> None:
    [shown] = card.details((request({"to": "ann\u202egpj.exe\u200b"}),))
    assert shown == "to: ann\\u202egpj.exe\\u200b"


@pytest.mark.parametrize(
    "sign",
    ["\ufe0f", "\U000e0101", "\u034f", "\u115f", "\u3164", "\uffa0", "\u2028", "\u2029", "\u2800", "\u180b"],
)
def test_signs_without_any_ink_are_shown_by_their_numbers(sign: str) -> None:
    [shown] = card.details((request({"to": f"ann{sign}@example.com"}),))
    assert sign not in shown
    assert f"\\u{ord(sign):04x}" in shown


def test_no_text_of_an_argument_looks_like_another_argument() -> None:
    [shown] = card.details((request({"note": "hello\namount: 1", "amount": 1_000_000}),))
    assert [line for line in shown.splitlines() if line.startswith("amount")] == ["amount: 1000000"]
    [shown] = card.details((request({"note\namount": 1, "amount": 1_000_000}),))
    assert [line for line in shown.splitlines() if line.startswith("amount")] == ["amount: 1000000"]
    first, second = card.details((request({"note": "x" * 2_894 + "amount: 1", "amount": 1_000_000}),))
    assert first.endswith("x")
    assert second == "| amount: 1\namount: 1000000"


def test_arguments_that_are_nested_without_an_end_cannot_be_shown() -> None:
    for depth in (51, 400, 100_000):
        nested = "[" * depth + "]" * depth
        assert not card.can_be_shown(pause_of(request(nested)))
        assert not card.can_be_shown(pause_of(request({"body": nested})))
    assert card.can_be_shown(pause_of(request("[" * 40 + "]" * 40)))


def test_json_with_a_name_twice_is_shown_whole_or_not_at_all() -> None:
    """Masked, it would say the last only, and whoever gets the text may read the first."""
    twice = '{"to": "eve", "to": "ann"}'
    assert card.details((request({"body": twice}),)) == [f"body: {twice}"]
    for text in ('{"to": "eve", "to": "ann", "token": "s3cret"}', '[{"token": "s3cret", "token": ""}]'):
        assert not card.can_be_shown(pause_of(request({"body": text})))


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=4000), max_size=3))
def test_no_block_is_longer_than_slack_takes(arguments: dict[str, str]) -> None:
    assert all(0 < len(block) <= 3000 for block in card.details((request(arguments),)))


def test_arguments_that_are_no_object_are_shown_as_they_are() -> None:
    assert card.details((request("not json"),)) == ["not json"]
    assert card.details((request([1, 2]),)) == ["[1, 2]"]
    assert card.details((request([{"password": "s3cret"}]),)) == ['[{"password": "••••••"}]']


def test_each_of_several_requests_has_its_name() -> None:
    shown = card.details((request({"to": "ann"}), request({"to": "bob"}, name="look_up")))
    assert shown == ["Send email\nto: ann", "Look up\nto: bob"]


def test_what_is_too_long_to_be_read_cannot_be_shown() -> None:
    assert card.can_be_shown(pause_of(request({"body": "x" * 9_000})))
    assert not card.can_be_shown(pause_of(request({"body": "x" * 10_000})))
    assert not card.can_be_shown(pause_of(request({}, message="x" * 10_000)))
    assert not card.can_be_shown(pause_of(request({}, message="*" * 6_000)))  # each is escaped
    assert not card.can_be_shown(pause_of(*[request({"to": str(number)}) for number in range(50)]))


def test_the_agents_words_notify_nobody_and_are_no_markdown() -> None:
    asked = request({}, name="<!channel> **do**", message="<@U0123456789> [click](https://evil.example)")
    said = wording.asks_for(pause_of(asked))
    assert "<!channel>" not in said
    assert "<@U0123456789>" not in said
    assert "](https" not in said


def test_the_name_of_a_tool_is_shown_whole() -> None:
    asked = request({}, name="delete_" + "x" * 200 + "_for_good")
    said = wording.asks_for(pause_of(asked, replace(asked, name="delete_" + "x" * 200 + "_never")))
    assert "x for good" in said
    assert "x never" in said


def test_nothing_turns_the_direction_of_what_stands_around_it() -> None:
    pause = pause_of(request({}, name="\u202ework", message="Pay \u202e0001"))
    denied = Decision(Decided.DENIED, "U2", AT, "\u202eno")
    assert "\u202e" not in wording.asks_for(pause) + wording.decided(pause, denied)


@pytest.mark.parametrize(
    ("approvers", "words"),
    [
        (ASKER, "<@U1> may decide."),
        (Approvers(ApproverRule.ANYONE), "Anyone who may ask me here may decide."),
        (Approvers(ApproverRule.NOT_ASKER), "except <@U1>, who asked."),
        (Approvers(ApproverRule.LISTED, ("U2",), ("S1",)), "<@U2>, <!subteam^S1> may decide."),
    ],
)
def test_a_card_says_who_may_decide(approvers: Approvers, words: str) -> None:
    assert words in wording.asks_for(pause_of(request({}), approvers=approvers))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((60, "1 minute"), (90, "90 seconds"), (150, "150 seconds"), (900, "15 minutes"), (3600, "1 hour")),
        *((9_000, "150 minutes"), (12_600, "210 minutes"), (39_600, "11 hours")),
    ],
)
def test_a_card_says_when_it_expires(seconds: float, words: str) -> None:
    assert f"expires {words} after it was asked (22:13 UTC)" in wording.asks_for(
        pause_of(request({}), seconds=seconds)
    )


def test_a_line_says_what_who_and_when() -> None:
    pause = pause_of(request({}))
    approved = Decision(Decided.APPROVED, "U2", AT + 60)
    assert wording.decided(pause, approved) == (
        ":white_check_mark: **Send email** was approved by <@U2> at 22:14 UTC."
    )
    denied = replace(approved, decided=Decided.DENIED, reason="<!here> no")
    assert "<!here>" not in wording.decided(pause, denied)
    expired = Decision(Decided.EXPIRED, "", AT + 900)
    assert wording.decided(pause, expired).startswith(":hourglass: **Send email** expired at 22:28 UTC")
