"""The answers to interrupts, in each protocol that an agent on AgentCore's runtime may speak."""

import json
from typing import Any

import pytest

from functions.adapters.agents.ag_ui import AgUiTranslator
from functions.adapters.agents.deltas import ToolCalls
from functions.adapters.agents.harness_events import HarnessTranslator
from functions.adapters.agents.interrupts import ag_ui_interrupt, interrupts_in, resumption
from functions.adapters.agents.runtime import envelope
from functions.bridge import wording
from functions.bridge.agents.events import Failed, ToolAnswer, ToolRequest
from functions.bridge.agents.failures import Failure
from tests.functions.adapters.runs import QUESTION

CALL = ("send_email", '{"to": "ann@example.com"}')
APPROVED = {"type": "object", "properties": {"approved": {"type": "boolean"}}, "required": ["approved"]}
CLOSED = {**APPROVED, "additionalProperties": False}


def ag_ui(**more: Any) -> ToolRequest | None:
    return ag_ui_interrupt({"id": "i", "reason": "tool_call", **more}, CALL)


def strands(reason: object, under: str = "i") -> ToolRequest | None:
    interrupt = {"id": under, "name": "approve", "reason": reason}
    use = {"toolUseId": "t", "name": "send_email", "input": {}}
    [(_, request)] = interrupts_in({"tool_interrupt_event": {"tool_use": use, "interrupts": [interrupt]}})
    return request


def welt(reason: object) -> ToolRequest | None:
    [(_, request)] = interrupts_in({"interrupt": {"id": "i", "name": "approve", "reason": reason}})
    return request


def answer(request: ToolRequest | None, is_approved: bool, reason: str = "") -> ToolAnswer:
    assert request is not None
    return ToolAnswer(request, is_approved, reason)


@pytest.mark.parametrize(
    ("interrupt", "expected"),
    [
        ({}, {"approved": False, "reason": "Not today."}),
        ({"responseSchema": APPROVED}, {"approved": False, "reason": "Not today."}),
        ({"responseSchema": CLOSED}, {"approved": False}),
        ({"responseSchema": {"type": "boolean"}}, False),
        ({"reason": "confirmation"}, False),
        ({"reason": "langgraph:review"}, False),
    ],
    ids=["tool call", "schema", "closed schema", "boolean", "confirmation", "any other"],
)
def test_a_denial_of_ag_ui_is_as_its_schema_wants_it(interrupt: dict[str, Any], expected: object) -> None:
    told = resumption([answer(ag_ui(**interrupt), False, "Not today.")])
    assert told["resume"] == [{"interruptId": "i", "status": "resolved", "payload": expected}]


def test_going_on_is_a_run_of_ag_ui_as_its_sdk_has_it() -> None:
    core = pytest.importorskip("ag_ui.core")
    told = resumption([answer(ag_ui(), True)])
    run = core.RunAgentInput.model_validate({**envelope(QUESTION), **told})
    assert [(entry.interrupt_id, entry.status, entry.payload) for entry in run.resume] == [
        ("i", "resolved", {"approved": True})
    ]
    assert run.messages == []


@pytest.mark.parametrize(
    "interrupt",
    [
        {"reason": "input_required"},
        {"responseSchema": {"type": "object", "properties": {"city": {"type": "string"}}}},
        {"responseSchema": {**APPROVED, "required": ["approved", "city"]}},
        {"responseSchema": {**APPROVED, "required": [["approved"]]}},
        {"responseSchema": {"type": "string"}},
    ],
)
def test_an_interrupt_of_ag_ui_that_wants_more_than_yes_or_no_is_none(interrupt: dict[str, Any]) -> None:
    assert ag_ui(**interrupt) is None


def test_an_interrupt_of_ag_ui_that_cannot_be_answered_by_its_id_is_none() -> None:
    assert ag_ui(id="") is None
    assert ag_ui(id=7) is None


def test_an_interrupt_of_ag_ui_that_says_nothing_is_none() -> None:
    assert ag_ui_interrupt({"id": "i", "reason": "confirmation"}, None) is None


def test_what_strands_says_through_ag_ui_is_seen() -> None:
    metadata = {"reason": {"message": "Pay?", "amount": 20}}
    request = ag_ui_interrupt({"id": "i", "reason": "myapp-pay", "metadata": metadata}, None)
    assert request is not None
    assert (request.name, request.message) == ("myapp-pay", "Pay?")
    assert json.loads(request.arguments) == {"amount": 20}


@pytest.mark.parametrize(
    ("metadata", "arguments"),
    [
        ({}, {"to": "ann"}),
        ({"tool_input": {"to": "ann"}}, {"to": "ann"}),
        ({"reason": {"message": "Really?", "amount": 20}}, {"amount": 20, "to": "ann"}),
        ({"tool_input": [1, 2]}, {"tool_input": [1, 2], "to": "ann"}),
    ],
)
def test_all_that_is_said_beside_a_call_is_seen(metadata: dict[str, Any], arguments: object) -> None:
    interrupt = {"id": "i", "reason": "tool_call", "message": "Pay?", "metadata": metadata}
    request = ag_ui_interrupt(interrupt, ("pay", '{"to": "ann"}'))
    assert request is not None
    assert json.loads(request.arguments) == arguments
    assert request.message == ("Pay?\nReally?" if "reason" in metadata else "Pay?")


def test_a_tool_of_a_gateway_is_named_with_its_target() -> None:
    """People have to see whether it is the tool of one system or of another."""
    name = "staging___delete-user"
    of_ag_ui = ag_ui_interrupt({"id": "i", "metadata": {"tool_name": name}, "message": "May I?"}, None)
    stopped = {"interrupts": [{"id": "i"}], "tool_use": {"name": name}}
    [(_, of_strands)] = interrupts_in({"tool_interrupt_event": stopped})
    calls = ToolCalls()
    calls.start("1", name)
    for request in (of_ag_ui, of_strands, ag_ui_interrupt({"id": "i"}, calls.call("1"))):
        assert request is not None
        assert request.name == name
        assert wording.tool_name(request.name) == "Staging delete user"


def test_strands_gets_a_list_of_answers_and_nothing_else() -> None:
    told = resumption([answer(strands("Send?", "i"), True), answer(strands("Send?", "j"), False, "No.")])
    assert told == {
        "prompt": [
            {"interruptResponse": {"interruptId": "i", "response": True}},
            {"interruptResponse": {"interruptId": "j", "response": False}},
        ],
        "decisions": [{"id": "i", "approved": True}, {"id": "j", "approved": False, "reason": "No."}],
    }


def test_welt_gets_an_answer_for_each_id() -> None:
    assert resumption([answer(welt("Send?"), False, "No.")]) == {
        "interrupt_responses": {"i": {"value": False, "source": "option"}},
        "decisions": [{"id": "i", "approved": False, "reason": "No."}],
    }


@pytest.mark.parametrize("denied", [strands("Send?"), welt("Send?")])
def test_a_denial_is_never_an_object_that_counts_as_true(denied: ToolRequest | None) -> None:
    told = resumption([answer(denied, False, "Not today.")])
    [response] = told["prompt"] if "prompt" in told else told["interrupt_responses"].values()
    assert response.get("value", response.get("interruptResponse", {}).get("response")) is False


@pytest.mark.parametrize(
    "reason",
    [
        {"message": "Where?", "input": {}},
        {"message": "Where?", "input": {"label": "City", "multiline": False}},
        {"message": "Where?", "options": [{"value": "Rome"}, {"value": 7, "label": "Lima"}]},
    ],
)
def test_an_interrupt_with_widgets_of_its_own_is_none(reason: object) -> None:
    assert welt(reason) is None
    assert strands(reason) is None


@pytest.mark.parametrize(
    "facts", [{"input": {"to": "Ann"}}, {"options": ["fast"]}, {"input": {}, "tool": "x"}, {"input": "Ann"}]
)
def test_facts_that_are_named_like_widgets_are_seen(facts: dict[str, Any]) -> None:
    request = strands({"message": "Send?", **facts})
    assert request is not None
    assert (request.message, json.loads(request.arguments)) == ("Send?", facts)


@pytest.mark.parametrize(
    ("reason", "seen"),
    [
        (["pay", {"to": "eve"}], {"reason": ["pay", {"to": "eve"}]}),
        (1_000_000, {"reason": 1_000_000}),
        (False, {"reason": False}),
        ({"message": ["pay"], "to": "eve"}, {"message": ["pay"], "to": "eve"}),
        (None, {}),
    ],
)
def test_a_reason_of_any_form_is_seen(reason: object, seen: dict[str, Any]) -> None:
    for request in (strands(reason), welt(reason)):
        assert request is not None
        assert json.loads(request.arguments) == seen


def test_widgets_beside_approve_and_reject_may_be_left_alone() -> None:
    reason = {"message": "Send?", "approve": {"label": "Go"}, "reject": {}, "input": {"label": "Why?"}}
    request = welt(reason)
    assert request is not None
    assert (request.message, request.arguments) == ("Send?", "{}")


@pytest.mark.parametrize(
    "item",
    [
        {"interrupt": True},
        {"interrupt": {"id": ""}},
        {"interrupts": [{"id": "i"}]},
        {"result": {"stop_reason": "end_turn", "interrupts": [{"id": "i"}]}},
        {"tool_interrupt_event": {"interrupts": ["i", None, {"name": "x"}]}},
    ],
)
def test_what_only_looks_like_an_interrupt_is_none(item: dict[str, Any]) -> None:
    assert list(interrupts_in(item)) == []


def test_what_utf_8_cannot_hold_is_replaced() -> None:
    request = strands({"message": "Send \ud800?", "to": "\udfff"})
    assert request is not None
    assert (request.message, request.arguments) == ("Send ??", '{"to": "?"}')


HARNESS_CALL: list[dict[str, Any]] = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockStart": {"start": {"toolUse": {"toolUseId": "c", "name": "pay"}}, "contentBlockIndex": 0}},
    {"contentBlockDelta": {"delta": {"toolUse": {"input": '{"amount": 1e400}'}}, "contentBlockIndex": 0}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "tool_use"}},
]
AG_UI_CALL: list[dict[str, Any]] = [
    {"type": "TOOL_CALL_START", "toolCallId": "c", "toolCallName": "pay"},
    {"type": "TOOL_CALL_ARGS", "toolCallId": "c", "delta": '{"amount": 1e400}'},
    {
        "type": "RUN_FINISHED",
        "outcome": {"type": "interrupt", "interrupts": [{"id": "i", "toolCallId": "c"}]},
    },
]


def test_an_agent_whose_request_cannot_be_read_waits_for_an_answer_all_the_same() -> None:
    harness, ag_ui_agent = HarnessTranslator(), AgUiTranslator()
    told = [event for member in HARNESS_CALL for event in harness(member)] + [*harness.end()]
    also = [event for member in AG_UI_CALL for event in ag_ui_agent(member)]
    for heard in (told, also):
        assert not any(isinstance(event, ToolRequest) for event in heard)
        assert heard[-1] == Failed(Failure.RETURN_OF_CONTROL, "the arguments of a tool are no JSON object")
