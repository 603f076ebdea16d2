"""The table of kinds, and what the settings make of it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from werkzeug.wrappers import Response

from functions.adapters.agents.bedrock_agent import BedrockAgent
from functions.adapters.agents.harness import AgentCoreHarness
from functions.adapters.agents.kinds import KINDS, agents, memory_of
from functions.adapters.agents.run import BackgroundRun
from functions.adapters.agents.runtime import AgentCoreRuntime
from functions.bridge.agents.events import AgentEvent, Failed, Finished, TextDelta, ToolAnswer, ToolRequest
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.memory import Memory
from functions.bridge.agents.port import Agent, AgentPorts, Question
from functions.bridge.agents.routing import Choice
from functions.environment import SettingError
from functions.settings import AgentMemory, AgentSettings, Settings
from simulator.agent.agentcore import HARNESS_ARN, RUNTIME_ARNS, Framework
from simulator.agent.eventstream import CONTENT_TYPE, event, exception
from simulator.aws import REGION, Aws
from tests.functions.adapters.runs import PORTS, QUESTION, events
from tests.functions.adapters.scripted_server import ScriptedServer, standing_in_for

CONTRIBUTING = Path(__file__).parents[4] / "CONTRIBUTING.md"
MODEL_ARN = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0"


def made(settings: AgentSettings) -> Agent:
    """The only agent of a bot."""
    choice = agents(Settings({"default": settings}, {}), PORTS).choose("C1", "hello", so_far=None)
    assert isinstance(choice, Choice)
    return choice.agent


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (AgentSettings("bedrock-agent", agent_id="AGENT", alias_id="ALIAS"), BedrockAgent),
        (AgentSettings("agentcore-harness", arn=HARNESS_ARN), AgentCoreHarness),
        (AgentSettings("agentcore-runtime", arn=RUNTIME_ARNS[Framework.STRANDS]), AgentCoreRuntime),
    ],
)
def test_each_kind_has_an_adapter(
    monkeypatch: pytest.MonkeyPatch, settings: AgentSettings, kind: type[Agent]
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert isinstance(made(settings), kind)


@pytest.mark.parametrize(
    ("settings", "memory"),
    [
        (AgentSettings("bedrock-agent"), Memory(idle_seconds=600)),
        (AgentSettings("agentcore-harness"), Memory(idle_seconds=900)),
        (AgentSettings("agentcore-harness", idle_seconds=300), Memory(idle_seconds=300)),
        (
            AgentSettings("agentcore-harness", memory=AgentMemory.AGENT),
            Memory(idle_seconds=900, outlives_session=True),
        ),
        (
            AgentSettings("agentcore-runtime", tell_user_id=True),
            Memory(idle_seconds=900, is_personal=True),
        ),
    ],
)
def test_how_long_an_agent_remembers_follows_from_its_kind_unless_it_is_set(
    settings: AgentSettings, memory: Memory
) -> None:
    assert memory_of(settings) == memory


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(SettingError, match="of kind 'oracle'; allowed are bedrock-agent, agentcore-h"):
        made(AgentSettings("oracle"))


def test_a_missing_setting_of_an_agent_is_named() -> None:
    with pytest.raises(SettingError, match="no arn for an agent of kind 'agentcore-harness'"):
        made(AgentSettings("agentcore-harness"))


class KeyedAgent:
    """Says the key of its API, as no real agent does."""

    def __init__(self, settings: AgentSettings, ports: AgentPorts) -> None:
        self._key = ports.secret(settings.agent_id)
        self._clock = ports.clock
        self.asked: list[tuple[Question, float]] = []

    def ask(self, question: Question) -> BackgroundRun:
        self.asked.append((question, self._clock.now()))
        return BackgroundRun(self)

    def resume(self, question: Question, answers: Sequence[ToolAnswer]) -> BackgroundRun:  # noqa: ARG002
        return self.ask(question)

    def events(self) -> Iterator[AgentEvent]:
        yield TextDelta(self._key.value())
        yield Finished()

    def shutdown(self) -> bool:
        return False


def test_a_kind_gets_its_key_from_secrets_manager_which_is_asked_rarely(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "keyed", KeyedAgent)
    aws.secrets.create_secret(Name="key-of-an-api", SecretString="first")
    agent = made(AgentSettings("keyed", agent_id="key-of-an-api"))
    assert events(agent.ask(QUESTION)) == [TextDelta("first"), Finished()]
    aws.secrets.put_secret_value(SecretId="key-of-an-api", SecretString="second")
    assert events(agent.ask(QUESTION)) == [TextDelta("first"), Finished()]


# --- The kind that CONTRIBUTING.md adds


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with standing_in_for("BEDROCK_RUNTIME") as server:
        yield server


@pytest.fixture
def described(monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that CONTRIBUTING.md shows, in the table."""
    document = CONTRIBUTING.read_text(encoding="utf-8")
    [example] = re.findall(r"^ *```python\n(.*?)^ *```$", document, re.DOTALL | re.MULTILINE)
    module: dict[str, Any] = {}
    exec(compile(dedent(example), str(CONTRIBUTING), "exec"), module)
    monkeypatch.setitem(KINDS, "bedrock-model", module["from_settings"])


def said(text: str) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": text}})


START = event("messageStart", {"role": "assistant"})
STOP = event("messageStop", {"stopReason": "end_turn"})
THROTTLED = Response("{}", 429, headers={"x-amzn-ErrorType": "ThrottlingException"})
BROKEN = exception("internalServerException", {"message": "Oops."})


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            START + said("It is ") + said("sunny.") + STOP,
            [TextDelta("It is "), TextDelta("sunny."), Finished()],
        ),
        (
            START + said("It is"),
            [TextDelta("It is"), Failed(Failure.CUT_OFF, "the stream ended without messageStop")],
        ),
        (
            START + BROKEN,
            [Failed(Failure.INTERNAL, "internalServerException (request unknown): Oops.", begun=True)],
        ),
        (THROTTLED, [Failed(Failure.THROTTLED, "ThrottlingException (request unknown)")]),
    ],
    ids=["answer", "cut", "broken", "throttled"],
)
@pytest.mark.usefixtures("described")
def test_the_kind_that_contributing_adds_works(
    server: ScriptedServer, answer: bytes | Response, expected: list[AgentEvent]
) -> None:
    server.answer = answer if isinstance(answer, Response) else Response(answer, content_type=CONTENT_TYPE)
    assert events(made(AgentSettings("bedrock-model", arn=MODEL_ARN)).ask(QUESTION)) == expected


@pytest.mark.usefixtures("described")
def test_the_kind_that_contributing_adds_goes_on_with_nothing(server: ScriptedServer) -> None:
    agent = made(AgentSettings("bedrock-model", arn=MODEL_ARN))
    answers = [ToolAnswer(ToolRequest("i", "send_email", "{}"), True)]
    expected = [Failed(Failure.INVALID, "this agent asked for nothing")]
    assert events(agent.resume(QUESTION, answers)) == expected
    assert server.requests == 0
