"""What the agents' services send, written down by hand, and what the adapters make of it through boto3.

`bedrock/*.txt`, `harness/*.txt`: the members of InvokeAgent's and InvokeHarness' streams, one a line, as the
service model has them (`test_shapes`); "!" marks an exception. `runtime/*.sse`, `*.json`, `*.txt`: bodies of
InvokeAgentRuntime as agents write them.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response

from functions.adapters.agents import client as clients
from functions.adapters.agents.bedrock_agent import BedrockAgent
from functions.adapters.agents.harness import AgentCoreHarness
from functions.adapters.agents.runtime import AgentCoreRuntime
from functions.bridge.agents.events import (
    AgentEvent,
    Citation,
    CutShort,
    Failed,
    File,
    Finished,
    Guardrail,
    Rationale,
    Source,
    TextDelta,
    ToolArguments,
    ToolKind,
    ToolRequest,
    ToolUse,
    Usage,
    Wanted,
)
from functions.bridge.agents.failures import Failure
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.eventstream import CONTENT_TYPE, encode
from tests.functions.adapters.runs import QUESTION, events
from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for

HERE = Path(__file__).parent
MEDIA_TYPES = {
    ".sse": "text/event-stream; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
SUNNY = "It is sunny."
STRANDS = '{"protocol": "strands"}'
WELT = '{"protocol": "welt"}'
WAITS = Failed(Failure.RETURN_OF_CONTROL, "the agent waits for a person")


def given(name: str, arguments: object) -> ToolArguments:
    """That the tool was given these arguments."""
    text = json.dumps(arguments, sort_keys=True, separators=(",", ":"))
    return ToolArguments(name, hashlib.sha256(text.encode()).hexdigest()[:16])


BEDROCK: dict[str, list[AgentEvent]] = {
    "answer": [
        Usage(1204, 58),
        Rationale("I need the forecast."),
        ToolUse("get-forecast"),
        given("get-forecast", {"place": "Zürich"}),
        TextDelta("It is **sunny** in Z"),
        TextDelta("ürich"),
        TextDelta(", says the handbook."),
        Citation((Source("climate.pdf"),)),
        File("forecast.csv", "text/csv", b"day,sky"),
        Usage(1302, 31),
        Finished(),
    ],
    "return-control": [
        ToolRequest(
            "22af1b06-6bbd-4cbe-a4b7-1d3a6b0a7a5c",
            "send-storm-warning",
            '{"level": "orange"}',
            Wanted.CONSENT,
            '{"functionResult": {"actionGroup": "warnings", "function": "send-storm-warning", '
            '"agentId": "METEOAGENT"}, "streaming": true}',
        ),
        Failed(Failure.RETURN_OF_CONTROL, "the agent returned control"),
    ],
    "denied-in-stream": [
        ToolUse("", ToolKind.KNOWLEDGE_BASE),
        given("", "wind"),
        Failed(
            Failure.ACCESS_DENIED,
            "accessDeniedException (request unknown): Access denied when calling Bedrock.",
            begun=True,
        ),
    ],
    "validation-error": [Failed(Failure.INVALID, "validationException (request unknown)", begun=True)],
}
HARNESS: dict[str, list[AgentEvent]] = {
    "tool-then-answer": [
        TextDelta("I will look "),
        TextDelta("that up."),
        ToolUse("get-forecast"),
        given("get-forecast", {"place": "Zürich"}),
        Usage(1204, 58),
        TextDelta("\n\nIt is **sunny** in Zürich ☀️"),
        TextDelta(", 25 °C."),
        Usage(1302, 31),
        Finished(),
    ],
    "reasoning": [Rationale("The user asks about rain."), TextDelta("Yes."), Usage(20, 9), Finished()],
    "inline-function": [
        ToolUse("send_storm_warning"),
        given("send_storm_warning", {}),
        Usage(20, 9),
        ToolRequest("tooluse_Ab12", "send_storm_warning", "{}", context="send_storm_warning"),
        Failed(Failure.RETURN_OF_CONTROL, "the stream ended with tool_use"),
    ],
    "inline-function-with-arguments": [
        ToolUse("get-forecast"),
        given("get-forecast", {"place": "Rome"}),
        TextDelta("A storm is coming."),
        ToolUse("send_storm_warning"),
        given("send_storm_warning", {"level": "orange"}),
        ToolUse("ring_the_bell"),
        given("ring_the_bell", {}),
        ToolRequest(
            "tooluse_Ab12", "send_storm_warning", '{"level": "orange"}', context="send_storm_warning"
        ),
        Failed(Failure.RETURN_OF_CONTROL, "the stream ended with tool_use"),
    ],
    "inline-function-half-written": [
        ToolUse("ring_the_bell"),
        given("ring_the_bell", {}),
        ToolUse("send_storm_warning"),
        given("send_storm_warning", '{"level": '),
        Failed(Failure.RETURN_OF_CONTROL, "the arguments of a tool are no JSON object"),
    ],
    "stopped-for-a-tool": [
        ToolUse("get-forecast"),
        given("get-forecast", {}),
        Failed(Failure.CUT_OFF, "the stream ended with no stopReason"),
    ],
    "stopped-in-second-message": [
        TextDelta("It is sunny."),
        TextDelta("\n\nAnd it"),
        Failed(Failure.CUT_OFF, "the stream ended with no stopReason"),
    ],
    "unmodelled-exception": [
        TextDelta("It is"),
        Failed(Failure.INTERNAL, "an exception without a name (request unknown)", begun=True),
    ],
    "conflict-in-stream": [Failed(Failure.INVALID, "validationException (request unknown)", begun=True)],
    "denied-by-a-hook": [
        TextDelta("I may not do that now."),
        Guardrail(("hook office-hours",)),
        Finished(),
    ],
    "no-last-stop": [
        TextDelta("It is"),
        Failed(Failure.CUT_OFF, "the stream ended with no stopReason"),
    ],
    # What may quote the question or the answer is not in the details.
    "runtime-client-error": [
        TextDelta("It is"),
        Failed(Failure.INTERNAL, "runtimeClientError (request unknown)", begun=True),
    ],
    "internal-error": [
        Failed(
            Failure.INTERNAL,
            "internalServerException (request unknown): An internal error occurred.",
            begun=True,
        ),
    ],
    "validation-error": [Failed(Failure.INVALID, "validationException (request unknown)", begun=True)],
}
RUNTIME: dict[str, list[AgentEvent]] = {
    "strands.sse": [
        TextDelta("Let me "),
        TextDelta("see."),
        ToolUse("get_forecast"),
        given("get_forecast", {"place": "Rome"}),
        Usage(410, 61),
        TextDelta("\n\nIt is **sunny** in Rome ☀️."),
        Finished(),
    ],
    "strands-data.sse": [TextDelta("It is "), ToolUse("get_forecast"), TextDelta("sunny."), Finished()],
    "strands-messages.sse": [
        ToolUse("get_forecast"),
        given("get_forecast", {}),
        TextDelta("Let me see."),
        TextDelta("\n\nIt is sunny."),
        Finished(),
    ],
    "strands-limit.sse": [TextDelta("It is"), CutShort(), Finished()],
    "ag-ui.sse": [
        Rationale("Which place?"),
        TextDelta("Let me see."),
        ToolUse("get_forecast"),
        given("get_forecast", {}),
        ToolUse("marine-forecaster", ToolKind.COLLABORATOR),
        TextDelta("\n\nIt is "),
        TextDelta("**sunny**."),
        Usage(2310, 94),
        Usage(310, 20),
        Finished(),
    ],
    "ag-ui-error.sse": [
        TextDelta("It is"),
        Usage(410, 2),
        Failed(Failure.INTERNAL, "RUN_ERROR (AGENT_ERROR)"),
    ],
    "ag-ui-unfinished.sse": [
        TextDelta("It is"),
        Failed(Failure.CUT_OFF, "the stream ended without RUN_FINISHED"),
    ],
    "ag-ui-interrupt.sse": [Failed(Failure.RETURN_OF_CONTROL, "RUN_FINISHED (interrupt)")],
    "ag-ui-approval.sse": [
        ToolUse("issue_refund"),
        given("issue_refund", {"amount": 20}),
        ToolRequest(
            "i",
            "issue_refund",
            '{"amount": 20}',
            Wanted.CONSENT,
            '{"protocol": "ag-ui", "is_object": true, "takes_reason": true}',
        ),
        ToolRequest(
            "j",
            "confirmation",
            "{}",
            Wanted.CONSENT,
            '{"protocol": "ag-ui", "is_object": false, "takes_reason": false}',
            "Tell the customer, too?",
        ),
        Failed(Failure.RETURN_OF_CONTROL, "RUN_FINISHED (interrupt)"),
    ],
    "ag-ui-approval-half.sse": [
        ToolUse("issue_refund"),
        given("issue_refund", '{"amount": '),
        Failed(Failure.RETURN_OF_CONTROL, "the arguments of a tool are no JSON object"),
    ],
    # One that cannot be answered with yes or no, and so neither can be answered.
    "ag-ui-form.sse": [Failed(Failure.RETURN_OF_CONTROL, "RUN_FINISHED (interrupt)")],
    "ag-ui-approval-of-before.sse": [
        ToolRequest(
            "i",
            "issue_refund",
            '{"amount": 20}',
            Wanted.CONSENT,
            '{"protocol": "ag-ui", "is_object": true, "takes_reason": true}',
            "Approve call to issue_refund?",
        ),
        Failed(Failure.RETURN_OF_CONTROL, "RUN_FINISHED (interrupt)"),
    ],
    "strands-interrupt.sse": [
        TextDelta("I will refund that."),
        ToolUse("issue_refund"),
        given("issue_refund", {"amount": 20}),
        ToolUse("close_case"),
        given("close_case", {}),
        ToolRequest(
            "v1:before_tool_call:t0:e5bd",
            "issue_refund",
            '{"customer": "Ann", "amount": 20}',
            Wanted.CONSENT,
            STRANDS,
            "Refund it?",
        ),
        ToolRequest(
            "v1:before_tool_call:t1:e5bd",
            "close_case",
            "{}",
            Wanted.CONSENT,
            STRANDS,
            'Approve "close_case"?',
        ),
        WAITS,
    ],
    "strands-interrupt-answered.sse": [TextDelta("It was small enough."), Finished()],
    "strands-interrupt-unseen.sse": [WAITS],
    "strands-question.sse": [WAITS],
    "strands-interrupt.json": [
        TextDelta("I will refund that."),
        ToolRequest("i", "issue_refund", '{"amount": 20}', Wanted.CONSENT, STRANDS),
        WAITS,
    ],
    "welt-interrupt.sse": [
        TextDelta("I will refund that."),
        ToolUse("issue_refund"),
        ToolRequest("i", "refund", "{}", Wanted.CONSENT, WELT, "Refund it?"),
        ToolRequest("j", "close", "{}", Wanted.CONSENT, WELT, "Close the case, too?"),
        WAITS,
    ],
    "welt-options.sse": [WAITS],
    "strings.sse": [TextDelta("It is "), TextDelta("**sunny**\n{'a': 1}"), TextDelta("."), Finished()],
    "words.sse": [
        TextDelta("It"),
        TextDelta(" is"),
        TextDelta("\u2028sunny\ntoday."),
        TextDelta("Bye"),
        Finished(),
    ],
    "responses.sse": [TextDelta("It is "), TextDelta("sunny."), Finished()],
    "error.sse": [
        TextDelta("It is"),
        Failed(Failure.INTERNAL, "an error in the answer (ConnectionError)"),
    ],
    "words-numbers.sse": [
        TextDelta("You owe "),
        TextDelta("250"),
        TextDelta(" euros, which is "),
        TextDelta("true"),
        TextDelta("."),
        Finished(),
    ],
    "strands-cut.sse": [
        TextDelta("It is"),
        Failed(Failure.CUT_OFF, "the stream ended with no messageStop"),
    ],
    "strands-cut-in-tool.sse": [
        TextDelta("Let me see."),
        Failed(Failure.CUT_OFF, "the stream ended with tool_use"),
    ],
    "strands-stopped-by-tool.sse": [TextDelta("I am done."), Finished()],
    "strands-limit-raised.sse": [TextDelta("It is"), CutShort(), Finished()],
    "strands-printed-first.sse": [TextDelta(SUNNY), Finished()],
    "strands-printed-only.sse": [Failed(Failure.NOT_SHOWABLE, "a JSON answer of no known shape")],
    "ag-ui-roles.sse": [TextDelta("It "), TextDelta("is "), TextDelta("sunny."), Finished()],
    "error-event.sse": [
        TextDelta("It is"),
        Failed(Failure.INTERNAL, "an error in the answer (no name)"),
    ],
    "error-event-json.sse": [Failed(Failure.INTERNAL, "an error in the answer (ConnectionError)")],
    "half.sse": [TextDelta("It is"), Failed(Failure.CUT_OFF, "the stream ended within an item")],
    "typed.json": [TextDelta(SUNNY), Finished()],
    "status-error.json": [Failed(Failure.INTERNAL, "an error in the answer (no name)")],
    "number.json": [TextDelta("42"), Finished()],
    "number-and-text.json": [TextDelta(SUNNY), Finished()],
    "bare-number.json": [TextDelta("42.5"), Finished()],
    "result-unknown.json": [Failed(Failure.NOT_SHOWABLE, "a JSON answer of no known shape")],
    "result-unknown.sse": [Failed(Failure.NOT_SHOWABLE, "a JSON answer of no known shape")],
    "result-error.json": [Failed(Failure.INTERNAL, "an error in the answer (ValueError)")],
    "result-empty-message.json": [Finished()],
    "result-true.json": [Failed(Failure.NOT_SHOWABLE, "a JSON answer of no known shape")],
    "bare-message.json": [TextDelta(SUNNY), Finished()],
    "not-serialized.sse": [TextDelta(SUNNY), Finished()],
    "result.json": [TextDelta(SUNNY), Finished()],
    "result-message.json": [TextDelta(SUNNY), Finished()],
    "response.json": [TextDelta(SUNNY), Finished()],
    "output.json": [TextDelta(SUNNY), Finished()],
    "message.json": [TextDelta(SUNNY), Finished()],
    "string.json": [TextDelta("It is ? sunny."), Finished()],
    "empty.json": [Finished()],
    "error.json": [Failed(Failure.INTERNAL, "an error in the answer (no name)")],
    "unknown.json": [Failed(Failure.NOT_SHOWABLE, "a JSON answer of no known shape")],
    "not-json.json": [Failed(Failure.NOT_SHOWABLE, "a JSON answer of no known shape")],
    "plain.txt": [TextDelta("It is sunny.\n"), Finished()],
}
STOP_REASONS: dict[str, list[AgentEvent]] = {
    "end_turn": [Finished()],
    "stop_sequence": [Finished()],
    "max_tokens": [CutShort(), Finished()],
    "max_output_tokens_exceeded": [CutShort(), Finished()],
    "model_context_window_exceeded": [CutShort(), Finished()],
    "content_filtered": [Guardrail(("content filtered",)), Finished()],
    "hook_stopped": [Guardrail(("hook",)), Finished()],
    "timeout_exceeded": [Failed(Failure.LIMIT, "the stream ended with timeout_exceeded")],
    "max_iterations_exceeded": [Failed(Failure.LIMIT, "the stream ended with max_iterations_exceeded")],
    "malformed_model_output": [Failed(Failure.INTERNAL, "the stream ended with malformed_model_output")],
    "malformed_tool_use": [Failed(Failure.INTERNAL, "the stream ended with malformed_tool_use")],
    "tool_use": [Failed(Failure.RETURN_OF_CONTROL, "the stream ended with tool_use")],
    "tool_result": [Failed(Failure.CUT_OFF, "the stream ended with tool_result")],
    "interrupted": [Failed(Failure.CUT_OFF, "the stream ended with interrupted")],
    "partial_turn": [Failed(Failure.CUT_OFF, "the stream ended with partial_turn")],
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with standing_in_for("BEDROCK_AGENT_RUNTIME", "BEDROCK_AGENTCORE") as server:
        yield server


@pytest.fixture(scope="module")
def bedrock(server: ScriptedServer) -> BedrockAgent:  # noqa: ARG001 - the client reads its address
    client = clients.bedrock_agent_runtime(longest_silence=20)
    return BedrockAgent(client, agent_id="METEOAGENT", alias_id="TSTALIASID")


@pytest.fixture(scope="module")
def harness(server: ScriptedServer) -> AgentCoreHarness:  # noqa: ARG001 - the client reads its address
    return AgentCoreHarness(clients.bedrock_agentcore(longest_silence=20), arn=HARNESS_ARN)


@pytest.fixture(scope="module")
def runtime(server: ScriptedServer) -> AgentCoreRuntime:  # noqa: ARG001 - the client reads its address
    client = clients.bedrock_agentcore(longest_silence=20)
    return AgentCoreRuntime(client, arn=RUNTIME_ARNS[Framework.STRANDS])


def framed(lines: str) -> bytes:
    return b"".join(map(message, lines.splitlines()))


def message(line: str) -> bytes:
    name, _, body = line.partition(" ")
    kind = "exception" if name.startswith("!") else "event"
    headers = {
        f":{kind}-type": name.removeprefix("!"),
        ":content-type": "application/json",
        ":message-type": kind,
    }
    return encode(headers, body.encode())


def answered(body: bytes, media_type: str, *, in_pieces: bool = False) -> Response:
    pieces = [body[at : at + 1] for at in range(len(body))] if in_pieces else body
    return Response(pieces, content_type=media_type)


@pytest.mark.parametrize("name", sorted(path.stem for path in (HERE / "bedrock").iterdir()))
def test_a_recording_of_a_bedrock_agent_becomes_its_events(
    server: ScriptedServer, bedrock: BedrockAgent, name: str
) -> None:
    lines = (HERE / "bedrock" / f"{name}.txt").read_text(encoding="utf-8")
    server.answer = answered(framed(lines), CONTENT_TYPE)
    assert events(bedrock.ask(QUESTION)) == BEDROCK[name]


@pytest.mark.parametrize("name", sorted(path.stem for path in (HERE / "harness").iterdir()))
def test_a_recording_of_a_harness_becomes_its_events(
    server: ScriptedServer, harness: AgentCoreHarness, name: str
) -> None:
    lines = (HERE / "harness" / f"{name}.txt").read_text(encoding="utf-8")
    server.answer = answered(framed(lines), CONTENT_TYPE)
    assert events(harness.ask(QUESTION)) == HARNESS[name]


@pytest.mark.parametrize("reason", STOP_REASONS)
def test_each_stop_reason_of_a_harness_has_its_ending(
    server: ScriptedServer, harness: AgentCoreHarness, reason: str
) -> None:
    said = 'contentBlockDelta {"contentBlockIndex": 0, "delta": {"text": "Sunny"}}\n'
    server.answer = answered(framed(f'{said}messageStop {{"stopReason": "{reason}"}}'), CONTENT_TYPE)
    assert events(harness.ask(QUESTION)) == [TextDelta("Sunny"), *STOP_REASONS[reason]]


def test_every_way_to_stop_is_known(harness: AgentCoreHarness) -> None:
    shape: Any = harness._client.meta.service_model.shape_for("HarnessStopReason")
    assert set(shape.enum) == STOP_REASONS.keys()


def test_a_limit_before_any_text_is_a_failure(server: ScriptedServer, harness: AgentCoreHarness) -> None:
    server.answer = answered(framed('messageStop {"stopReason": "max_tokens"}'), CONTENT_TYPE)
    expected = Failed(Failure.LIMIT, "the stream ended with max_tokens")
    assert events(harness.ask(QUESTION)) == [expected]


@pytest.mark.parametrize(
    ("name", "reason", "expected"),
    [
        ("ValidationException", "ResourceConflict", Failure.BUSY),
        ("ValidationException", "FieldValidationFailed", Failure.INVALID),
        ("RetryableConflictException", "", Failure.BUSY),  # of a session in which the runtime runs already
    ],
)
def test_a_session_in_use_is_told_by_name_or_by_reason(
    server: ScriptedServer, harness: AgentCoreHarness, name: str, reason: str, expected: Failure
) -> None:
    body = json.dumps({"message": "what is the weather", "reason": reason})
    status = 409 if name.startswith("Retryable") else 400
    server.answer = Response(body, status, headers={"x-amzn-ErrorType": name})
    [failed] = events(harness.ask(QUESTION))
    assert failed == Failed(
        expected, f"{name} (request unknown)" + ("" if reason else ": what is the weather")
    )


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "byte by byte"])
@pytest.mark.parametrize("name", sorted(path.name for path in (HERE / "runtime").iterdir()))
def test_a_recording_of_a_runtime_becomes_its_events(
    server: ScriptedServer, runtime: AgentCoreRuntime, name: str, in_pieces: bool
) -> None:
    path = HERE / "runtime" / name
    server.answer = answered(path.read_bytes(), MEDIA_TYPES[path.suffix], in_pieces=in_pieces)
    heard = events(runtime.ask(QUESTION))
    if path.suffix == ".txt" and in_pieces:  # nothing in it says where its pieces end
        heard = [TextDelta("".join(e.text for e in heard if isinstance(e, TextDelta))), heard[-1]]
    assert heard == RUNTIME[name]


def test_an_answer_of_another_media_type_cannot_be_shown(
    server: ScriptedServer, runtime: AgentCoreRuntime
) -> None:
    server.answer = answered(b"\x89PNG", "image/png")
    assert events(runtime.ask(QUESTION)) == [Failed(Failure.NOT_SHOWABLE, "the answer is image/png")]


def test_every_recording_has_an_expectation() -> None:
    assert {path.stem for path in (HERE / "bedrock").iterdir()} == BEDROCK.keys()
    assert {path.stem for path in (HERE / "harness").iterdir()} == HARNESS.keys()
    assert {path.name for path in (HERE / "runtime").iterdir()} == RUNTIME.keys()
