"""What every kind of agent does alike, with a real boto3 client against a server that speaks its protocol."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from functions.adapters.agents import client as clients
from functions.adapters.agents.bedrock_agent import BedrockAgent
from functions.adapters.agents.harness import AgentCoreHarness
from functions.adapters.agents.runtime import AgentCoreRuntime
from functions.bridge.agents.events import (
    AgentEvent,
    Failed,
    Finished,
    Rationale,
    TextDelta,
    ToolArguments,
    ToolRequest,
    ToolUse,
    Usage,
    Wanted,
)
from functions.bridge.agents.failures import MAY_HAVE_ACTED, NOT_STARTED, Failure
from functions.bridge.agents.port import Agent
from simulator.agent import samples
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.invoke_agent import ERRORS
from simulator.agent.service import AGENT_ID, ALIAS_ID, AgentService
from simulator.agent.wire import INPUT_TOKENS, OUTPUT_TOKENS
from tests.functions.adapters.runs import (
    QUESTION,
    WAIT,
    agent_threads,
    approved,
    asking,
    denied,
    events,
    failure,
    requests,
    text,
    wait_until_over,
)

ENDPOINTS = ("AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME", "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE")


@dataclass(frozen=True)
class Kind:
    """One kind of agent.

    Attributes:
        agent: makes one; how long it may be silent, in seconds, in.
        tells_steps: whether it tells of its thoughts, tools and tokens.
        asks: what it wants of a tool that needs a person's consent; None: it cannot wait for one.
        streams: whether text comes before the answer is complete.
        knows_asker: whether it is told who asks; a harness only where it remembers people.
    """

    name: str
    agent: Callable[[float], Agent]
    tells_steps: bool = True
    asks: Wanted | None = None
    streams: bool = True
    knows_asker: bool = True


def bedrock(longest_silence: float) -> Agent:
    client = clients.bedrock_agent_runtime(longest_silence=longest_silence)
    return BedrockAgent(client, agent_id=AGENT_ID, alias_id=ALIAS_ID)


def harness(longest_silence: float) -> Agent:
    return AgentCoreHarness(clients.bedrock_agentcore(longest_silence=longest_silence), arn=HARNESS_ARN)


def runtime(framework: Framework) -> Callable[[float], Agent]:
    def agent(longest_silence: float) -> Agent:
        client = clients.bedrock_agentcore(longest_silence=longest_silence)
        return AgentCoreRuntime(client, arn=RUNTIME_ARNS[framework])

    return agent


KINDS = (
    Kind("bedrock", bedrock, asks=Wanted.CONSENT),
    Kind("harness", harness, asks=Wanted.RESULT, knows_asker=False),
    Kind("runtime-strands", runtime(Framework.STRANDS), asks=Wanted.CONSENT),
    Kind("runtime-ag-ui", runtime(Framework.AG_UI), asks=Wanted.CONSENT),
    Kind("runtime-words", runtime(Framework.WORDS), tells_steps=False),
    Kind("runtime-whole", runtime(Framework.WHOLE), tells_steps=False, streams=False),
)
STREAMING = tuple(kind for kind in KINDS if kind.streams)
ASKING = (
    *(kind for kind in KINDS if kind.asks),
    Kind("runtime-welt", runtime(Framework.WELT), asks=Wanted.CONSENT),
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    return kind


@pytest.fixture
def agent(kind: Kind, agent_service: AgentService) -> Iterator[Agent]:  # noqa: ARG001 - the client reads its address
    yield kind.agent(60.0)
    for thread in agent_threads():
        thread.join(WAIT)
    assert agent_threads() == []


def may_have_acted(last: AgentEvent) -> bool:
    """Whether a failure says by itself that the agent was at work, whatever came before it."""
    return isinstance(last, Failed) and (last.begun or last.failure in MAY_HAVE_ACTED)


def test_the_answer_is_streamed(kind: Kind, agent: Agent, agent_service: AgentService) -> None:
    heard = events(agent.ask(QUESTION))
    assert "**Chicago**" in text(heard)
    pieces = [event for event in heard if isinstance(event, TextDelta)]
    assert len(pieces) > 3 or not kind.streams
    assert heard[-1] == Finished()
    [invocation] = agent_service.invocations
    assert invocation.input_text == QUESTION.text


def test_the_agent_learns_who_asks(kind: Kind, agent: Agent, agent_service: AgentService) -> None:
    events(agent.ask(QUESTION))
    [invocation] = agent_service.invocations
    assert ("U0123456789" in invocation.attributes.values()) is kind.knows_asker


def test_each_tool_has_a_digest_of_its_arguments(agent: Agent) -> None:
    heard = events(agent.ask(QUESTION))
    used = [event.name for event in heard if isinstance(event, ToolUse)]
    given = [event for event in heard if isinstance(event, ToolArguments)]
    assert [event.name for event in given] == used
    assert all(re.fullmatch("[0-9a-f]{16}", event.digest) for event in given)
    assert len({event.digest for event in given}) == len(used)


def test_steps_come_before_the_text(kind: Kind, agent: Agent) -> None:
    heard = events(agent.ask(QUESTION))
    steps = [event for event in heard if isinstance(event, ToolUse)]
    if not kind.tells_steps:
        assert steps == []
        return
    assert steps == [
        ToolUse("obtain-latitude-longitude-from-place-name"),
        ToolUse("get-current-date-time-from-timezone"),
        ToolUse("obtain-weather-information-with-coordinates"),
    ]
    [thought] = [event for event in heard if isinstance(event, Rationale)]
    assert thought.text == (
        "I need the coordinates and the local date of Chicago before I can look up its weather."
    )
    first_text = next(n for n, event in enumerate(heard) if isinstance(event, TextDelta))
    assert max(heard.index(step) for step in steps) < first_text


def test_the_tokens_of_each_call_of_its_model_are_told_once(kind: Kind, agent: Agent) -> None:
    heard = events(agent.ask(QUESTION))
    told = [event for event in heard if isinstance(event, Usage)]
    assert bool(told) is kind.tells_steps
    # The model asks for one tool after the other, and then answers.
    calls = 1 + len([event for event in heard if isinstance(event, ToolUse)]) if told else 0
    assert sum(one.input_tokens for one in told) == calls * INPUT_TOKENS
    assert sum(one.output_tokens for one in told) == calls * OUTPUT_TOKENS


def test_a_thread_is_one_session(agent: Agent, agent_service: AgentService) -> None:
    events(agent.ask(QUESTION))
    wait_until_over(agent_service)
    assert "Chicago" in text(events(agent.ask(replace(QUESTION, text="and tomorrow?"))))
    another = replace(QUESTION, session_id="T0123456789:C0123456789:1700000000.000200", text="and tomorrow?")
    assert "For which city" in text(events(agent.ask(another)))


@pytest.mark.parametrize(("words", "said"), [("unicode", samples.UNICODE), ("with code", samples.CODE)])
def test_every_character_arrives(agent: Agent, words: str, said: str) -> None:
    assert text(events(agent.ask(asking(words)))) == said


def test_a_models_reasoning_is_no_part_of_the_answer(agent: Agent) -> None:
    heard = events(agent.ask(asking("think in tags")))
    assert text(heard).startswith("In code `<thinking>` is nothing special:")
    assert text(heard).endswith("<thinking>kept</thinking>\n```\n")
    assert [event.text for event in heard if isinstance(event, Rationale)][-1] == "This is < simple."


def test_a_very_long_answer_arrives_complete(agent: Agent) -> None:
    said = text(events(agent.ask(asking("very long report"))))
    assert len(said) > 195_000
    assert said.endswith("End of the report.\n")


@pytest.mark.parametrize("kind", STREAMING, ids=lambda kind: kind.name, indirect=True)
def test_text_arrives_before_the_stream_ends(agent: Agent, agent_service: AgentService) -> None:
    run = agent.ask(asking("fall silent"))
    said = ""
    while "Chicago" not in said:
        event = run.next(timeout=WAIT)
        assert event is not None, "the first words do not come before the last"
        said += event.text if isinstance(event, TextDelta) else ""
    assert agent_service.invocations[0].ended is None
    run.cancel()


def test_an_empty_answer_is_finished_without_text(agent: Agent) -> None:
    heard = events(agent.ask(asking("empty answer")))
    assert text(heard) == ""
    assert heard[-1] == Finished()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("throttlingException", Failure.THROTTLED),
        ("conflictException", Failure.BUSY),
        ("serviceQuotaExceededException", Failure.QUOTA),
        ("accessDeniedException", Failure.ACCESS_DENIED),
        ("resourceNotFoundException", Failure.NOT_FOUND),
        ("validationException", Failure.INVALID),
        ("internalServerException", Failure.INTERNAL),
    ],
)
def test_a_refused_request_has_a_kind(
    agent: Agent, agent_service: AgentService, error: str, expected: Failure
) -> None:
    agent_service.force(f"{error} status")
    heard = events(agent.ask(QUESTION))
    assert len(heard) == 1
    assert failure(heard) is expected
    assert agent_service.invocations == []


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_after_the_first_words_is_never_taken_for_a_run_that_did_not_start(
    kind: Kind, agent: Agent, agent_service: AgentService, error: str
) -> None:
    agent_service.force(f"{error} in stream")
    heard = events(agent.ask(QUESTION))
    assert failure(heard) not in NOT_STARTED
    assert may_have_acted(heard[-1])
    assert bool(text(heard)) is kind.streams
    assert len(agent_service.invocations) == 1


def test_throttling_after_the_agent_began_is_told_as_such_and_not_tried_again(
    agent: Agent, agent_service: AgentService
) -> None:
    heard = events(agent.ask(asking("throttle in stream")))
    assert failure(heard) is Failure.THROTTLED_AT_WORK
    assert failure(heard) not in NOT_STARTED
    assert may_have_acted(heard[-1])
    assert len(agent_service.invocations) == 1


def test_an_error_before_the_first_event_is_not_taken_for_a_run_that_did_not_start(
    agent: Agent, agent_service: AgentService
) -> None:
    agent_service.force("fail at once")
    heard = events(agent.ask(QUESTION))
    assert len(heard) == 1
    assert failure(heard) is Failure.INTERNAL
    assert may_have_acted(heard[-1])
    assert len(agent_service.invocations) == 1


def test_a_tool_that_needs_a_person_is_asked_for(
    kind: Kind, agent: Agent, agent_service: AgentService
) -> None:
    *before, last = events(agent.ask(asking("ask me first")))
    asked = [event for event in before if isinstance(event, ToolRequest)]
    if kind.asks is None:
        assert (asked, last) == ([], Finished())
        return
    assert isinstance(last, Failed)
    assert last.failure is Failure.RETURN_OF_CONTROL
    [request] = asked
    assert before[-1] == request
    assert (request.name, request.wanted) == ("send-storm-warning", kind.asks)
    assert json.loads(request.arguments) == {"place": "Chicago", "level": "orange"}
    assert request.call_id
    wait_until_over(agent_service)
    assert agent_service.invocations[0].ended == "approval"


# --- What becomes of a request


asking_kinds = pytest.mark.parametrize("kind", ASKING, ids=lambda kind: kind.name, indirect=True)


def decided(service: AgentService) -> list[bool]:
    """The decisions that the agent took, in order."""
    wait_until_over(service)
    return [decision.is_approved for run in service.invocations for decision in run.decisions]


@asking_kinds
def test_an_approved_tool_is_used_and_the_agent_goes_on(agent: Agent, agent_service: AgentService) -> None:
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    assert [request.name for request in asked] == ["send_email"]
    assert json.loads(asked[0].arguments)["to"] == "ann@example.com"
    wait_until_over(agent_service)
    heard = events(agent.resume(asking("send an e-mail"), approved(asked)))
    assert text(heard).strip() == "I **sent** the e-mail to ann@example.com."
    assert heard[-1] == Finished()
    assert decided(agent_service) == [True]


@asking_kinds
def test_a_denial_is_told_with_its_reason(agent: Agent, agent_service: AgentService) -> None:
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    heard = events(agent.resume(QUESTION, denied(asked, "Ann is on holiday.")))
    assert "did **not** send the e-mail to ann@example.com." in text(heard)
    assert "Ann is on holiday." in text(heard)
    assert [event for event in heard if isinstance(event, ToolUse)] == []
    assert decided(agent_service) == [False]


@asking_kinds
def test_a_denial_needs_no_reason(agent: Agent, agent_service: AgentService) -> None:
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    assert "did **not** send" in text(events(agent.resume(QUESTION, denied(asked, ""))))
    assert decided(agent_service) == [False]


@asking_kinds
def test_several_requests_are_answered_together(
    kind: Kind, agent: Agent, agent_service: AgentService
) -> None:
    asked = requests(events(agent.ask(asking("send two e-mails"))))
    wait_until_over(agent_service)
    if kind.name == "harness":  # which hands over one after the other
        assert len(asked) == 1
        [second] = requests(events(agent.resume(QUESTION, approved(asked))))
        wait_until_over(agent_service)
        heard = events(agent.resume(QUESTION, denied([second], "Not Bob.")))
    else:
        heard = events(agent.resume(QUESTION, [*approved(asked[:1]), *denied(asked[1:], "Not Bob.")]))
    assert "I **sent** the e-mail to ann@example.com." in text(heard)
    assert "I did **not** send the e-mail to bob@example.com." in text(heard)
    assert decided(agent_service) == [True, False]


@asking_kinds
def test_an_agent_may_ask_again_when_it_goes_on(agent: Agent, agent_service: AgentService) -> None:
    first = requests(events(agent.ask(asking("send one e-mail after the other"))))
    wait_until_over(agent_service)
    heard = events(agent.resume(QUESTION, approved(first)))
    assert "I **sent** the e-mail to ann@example.com." in text(heard)
    second = requests(heard)
    assert json.loads(second[0].arguments)["to"] == "bob@example.com"
    wait_until_over(agent_service)
    assert "I **sent** the e-mail to bob" in text(events(agent.resume(QUESTION, approved(second))))
    assert decided(agent_service) == [True, True]


@asking_kinds
def test_a_decision_that_is_told_twice_counts_once(agent: Agent, agent_service: AgentService) -> None:
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    events(agent.resume(QUESTION, approved(asked)))
    wait_until_over(agent_service)
    heard = events(agent.resume(QUESTION, denied(asked, "")))
    assert failure(heard) not in NOT_STARTED
    assert len(heard) == 1
    assert decided(agent_service) == [True]


@asking_kinds
def test_a_decision_goes_to_the_session_that_asked_for_it(agent: Agent, agent_service: AgentService) -> None:
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    another = replace(QUESTION, session_id="T0123456789:C0123456789:1700000000.000200")
    assert failure(events(agent.resume(another, approved(asked)))) not in NOT_STARTED
    assert decided(agent_service) == []
    events(agent.resume(QUESTION, approved(asked)))
    assert decided(agent_service) == [True]


@asking_kinds
def test_a_refused_decision_can_be_told_again(agent: Agent, agent_service: AgentService) -> None:
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    agent_service.force("throttlingException status")
    [failed] = events(agent.resume(QUESTION, approved(asked)))
    assert isinstance(failed, Failed)
    assert failed.failure in NOT_STARTED
    assert not failed.begun
    events(agent.resume(QUESTION, approved(asked)))
    assert decided(agent_service) == [True]


@asking_kinds
def test_an_agent_that_breaks_off_after_a_decision_may_have_acted(
    agent: Agent, agent_service: AgentService
) -> None:
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    agent_service.force("throttlingException in stream")
    heard = events(agent.resume(QUESTION, approved(asked)))
    assert failure(heard) not in NOT_STARTED
    assert may_have_acted(heard[-1])
    assert decided(agent_service) == [True]


@asking_kinds
def test_a_request_that_cannot_be_read_any_more_fails_the_run(
    agent: Agent, agent_service: AgentService
) -> None:
    asked = requests(events(agent.ask(asking("send an e-mail"))))
    wait_until_over(agent_service)
    spoilt = [replace(request, arguments="{", context="{") for request in asked]
    heard = events(agent.resume(QUESTION, approved(spoilt)))
    assert [failure(heard), len(heard)] == [Failure.INTERNAL, 1]
    assert decided(agent_service) == []


@asking_kinds
def test_going_on_says_who_asked_in_the_same_session(agent: Agent, agent_service: AgentService) -> None:
    question = asking("send an e-mail")
    asked = requests(events(agent.ask(question)))
    wait_until_over(agent_service)
    events(agent.resume(question, approved(asked)))
    first, second = agent_service.invocations
    assert (second.session_id, second.attributes) == (first.session_id, first.attributes)
    assert second.input_text == ""


@pytest.mark.parametrize("script", ["cut", "cut in message", "cut after tools", "reset", "reset in stream"])
def test_a_lost_connection_is_cut_off_and_not_tried_again(
    agent: Agent, agent_service: AgentService, script: str
) -> None:
    agent_service.force(script)
    assert failure(events(agent.ask(QUESTION))) is Failure.CUT_OFF
    assert len(agent_service.invocations) == 1


def test_a_session_takes_one_question_at_a_time(agent: Agent, agent_service: AgentService) -> None:
    run = agent.ask(asking("never answer"))
    while not agent_service.invocations:
        run.next(timeout=0.01)
    assert failure(events(agent.ask(QUESTION))) is Failure.BUSY
    assert len(agent_service.invocations) == 1
    run.cancel()
    agent_service.stop()  # ends the wait of a run whose answer has not begun


def test_what_the_service_says_about_permissions_is_for_the_log(agent: Agent) -> None:
    [failed] = events(agent.ask(asking("deny")))
    assert isinstance(failed, Failed)
    assert "AccessDeniedException" in failed.detail
    assert "arn:aws:" in failed.detail


@pytest.mark.parametrize("kind", STREAMING, ids=lambda kind: kind.name, indirect=True)
@pytest.mark.parametrize("words", ["silently", "fall silent", "very long report"])
def test_a_run_can_be_cancelled_while_it_is_silent_and_while_it_speaks(
    agent: Agent, agent_service: AgentService, words: str
) -> None:
    agent_service.time_scale = 0.5  # so that "silently" is silent for longer than anybody waits here
    run = agent.ask(asking(words))
    if words == "silently":
        while not agent_service.invocations:
            run.next(timeout=0.01)
    else:
        assert run.next(timeout=WAIT) is not None
    run.cancel()
    if words == "silently":  # its answer may have yet to begin; then its reader ends
        for thread in agent_threads():
            thread.join(WAIT)
    assert agent_threads() == []


def test_a_slow_agent_is_run_once(kind: Kind, agent_service: AgentService) -> None:
    # botocore's own default would run it again when the silence lasts too long.
    agent_service.force("never")
    assert failure(events(kind.agent(0.3).ask(QUESTION))) is Failure.CUT_OFF
    while not agent_service.invocations:  # a busy machine may begin with it when nobody waits any more
        time.sleep(0.01)
    assert len(agent_service.invocations) == 1


def test_a_service_that_cannot_be_reached_did_not_start(
    kind: Kind, agent_service: AgentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ENDPOINTS:
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    assert failure(events(kind.agent(60.0).ask(QUESTION))) is Failure.UNREACHABLE
    assert agent_service.invocations == []
