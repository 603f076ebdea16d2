"""Recordings, and what the fake agent sends, hold to the service models member by member."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.eventstream import EventStreamBuffer

from simulator.agent.agentcore import HARNESS_ARN
from simulator.agent.service import AGENT_ID, ALIAS_ID, AgentService
from simulator.aws import FAKE_CREDENTIALS, REGION
from simulator.journal import Journal
from tests.streams.shapes import output, problems

HERE = Path(__file__).parent
MODELS = {
    "bedrock": ("bedrock-agent-runtime", "InvokeAgent"),
    "harness": ("bedrock-agentcore", "InvokeHarness"),
}
FILES = [path for folder in MODELS for path in sorted((HERE / folder).iterdir())]
STRANDS = sorted((HERE / "runtime").glob("strands*.sse"))
AG_UI = sorted((HERE / "runtime").glob("ag-ui*.sse"))
# Each protocol's words for what an agent can do and what can happen to it.
QUESTIONS = (
    "what's the weather in Chicago today?",
    *(
        "cite your sources",
        "ask a colleague",
        "chart",
        "guardrail",
        "guardrail masks",
        "ask me first",
        "fail",
    ),
    *("dependency", "throttle in stream", "run out of words", "think aloud"),
)


def strange(folder: str, name: str, body: Any) -> list[str]:
    """What the model does not allow in a message of a stream."""
    shape = output(*MODELS[folder])
    if name not in shape.members:
        return [f"{name}: unknown"]
    return list(problems(shape.members[name], body, name))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recording_is_as_the_service_model_has_it(path: Path) -> None:
    found: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _, body = line.partition(" ")
        found += strange(path.parent.name, name.removeprefix("!"), json.loads(body))
    unmodelled = ["throttlingException: unknown"] if path.stem == "unmodelled-exception" else []
    assert found == unmodelled


@pytest.mark.parametrize("path", STRANDS, ids=lambda path: path.stem)
def test_the_model_s_own_events_in_a_strands_stream_are_those_of_the_model(path: Path) -> None:
    shape = output("bedrock-runtime", "ConverseStream")
    events = [item["event"] for item in _items(path) if isinstance(item, dict) and "event" in item]
    assert [problem for event in events for problem in problems(shape, event)] == []


@pytest.mark.parametrize("path", AG_UI, ids=lambda path: path.stem)
def test_a_recording_of_ag_ui_is_as_its_sdk_has_it(path: Path) -> None:
    core = pytest.importorskip("ag_ui.core")
    pydantic = pytest.importorskip("pydantic")
    for item in _items(path):
        pydantic.TypeAdapter(core.Event).validate_python(item)


def _items(path: Path) -> list[Any]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line]


@pytest.fixture(scope="module")
def service() -> Iterator[AgentService]:
    service = AgentService(journal=Journal(), time_scale=0)
    service.start()
    yield service
    service.stop()


@pytest.mark.parametrize("folder", MODELS)
@pytest.mark.parametrize("question", QUESTIONS)
def test_what_the_fake_agent_sends_is_as_the_service_model_has_it(
    service: AgentService, monkeypatch: pytest.MonkeyPatch, folder: str, question: str
) -> None:
    for name, value in FAKE_CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    client: Any = boto3.client(
        MODELS[folder][0],  # type: ignore[call-overload]
        endpoint_url=service.url,
        region_name=REGION,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )
    session = f"{folder}-{question}-{'x' * 33}".replace("'", "").replace(" ", "-").replace("?", "")[:90]
    if folder == "bedrock":
        stream = client.invoke_agent(
            agentId=AGENT_ID, agentAliasId=ALIAS_ID, sessionId=session, inputText=question, enableTrace=True
        )["completion"]
    else:
        messages = [{"role": "user", "content": [{"text": question}]}]
        stream = client.invoke_harness(harnessArn=HARNESS_ARN, runtimeSessionId=session, messages=messages)[
            "stream"
        ]
    buffer = EventStreamBuffer()
    buffer.add_data(stream._raw_stream.read())
    sent = list(buffer)
    client.close()
    assert sent
    for message in sent:
        headers: Any = message.headers
        name = headers.get(":event-type") or headers.get(":exception-type")
        assert strange(folder, str(name), json.loads(message.payload)) == []


@pytest.mark.parametrize(
    ("name", "body", "problem"),
    [
        ("messageStop", {}, "messageStop.stopReason: missing"),
        ("messageStop", {"stopReason": "tired"}, "messageStop.stopReason: none of its values"),
        ("contentBlockStop", {"contentBlockIndex": True}, "contentBlockStop.contentBlockIndex: no integer"),
        ("messageStart", {"role": "user", "mood": 1}, "messageStart.mood: unknown"),
        (
            "contentBlockDelta",
            {"contentBlockIndex": 0, "delta": {}},
            "contentBlockDelta.delta: 0 members of a union",
        ),
        ("messageEnd", {}, "messageEnd: unknown"),
    ],
)
def test_what_the_model_does_not_allow_is_found(name: str, body: Any, problem: str) -> None:
    assert strange("harness", name, body) == [problem]
