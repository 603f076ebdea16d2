"""The sample agent's tools behind the local agent: its numbers are what the weather service says."""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from simulator import wiring
from simulator.agent.service import AGENT_ID, ALIAS_ID
from simulator.journal import Entry
from simulator.simulation import AGENTS, Simulation
from tests.e2e.bridge import Bridge

NAMES = {
    "places": "obtain-latitude-longitude-from-place-name",
    "clock": "get-current-date-time-from-timezone",
    "weather": "obtain-weather-information-with-coordinates",
}
QUESTION = "Will it rain in Lima tomorrow?"
LIMA = {"latitude": -12.05, "longitude": -77.04, "timezone": "America/Lima", "forecast_days": 3}
DAILY = (
    "temperature_2m_min",
    "temperature_2m_max",
    "precipitation_probability_max",
    "wind_speed_10m_max",
)


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with Simulation(time_scale=0.1) as simulation:
        yield Bridge(simulation)


def tomorrow_in_lima(bridge: Bridge) -> tuple[str, dict[str, float]]:
    """The date, and what the weather service says of it."""
    url = bridge.simulation.open_meteo.forecast_url
    query = urllib.parse.urlencode({**LIMA, "daily": ",".join(DAILY)})
    with urllib.request.urlopen(f"{url}?{query}") as response:
        daily = json.load(response)["daily"]
    return daily["time"][1], {name: daily[name][1] for name in DAILY}


def in_words(day: str) -> str:
    date = datetime.fromisoformat(day)
    return f"- **{date:%A}, {date.day} {date:%B}**: "


def tool_runs(bridge: Bridge) -> list[Entry]:
    tools = [function.name for function in wiring.TOOLS]
    entries = bridge.simulation.journal.entries(source="lambda", kind="invocation ended")
    return [entry for entry in entries if entry.detail["function"] in tools]


def traced(bridge: Bridge, session: str) -> tuple[list[Any], list[Any]]:
    """What the agent's traces show of its tools: the calls, and their results."""
    client = boto3.client(
        "bedrock-agent-runtime",
        endpoint_url=bridge.simulation.agent.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
    )
    stream = client.invoke_agent(
        agentId=AGENT_ID, agentAliasId=ALIAS_ID, sessionId=session, inputText=QUESTION, enableTrace=True
    )["completion"]
    traces: list[Any] = [event["trace"]["trace"] for event in stream if "trace" in event]
    stream.close()
    client.close()
    steps = [trace.get("orchestrationTrace", {}) for trace in traces]
    inputs = [step["invocationInput"] for step in steps if "invocationInput" in step]
    *observed, _final = [step["observation"] for step in steps if "observation" in step]
    return (
        [given["actionGroupInvocationInput"] for given in inputs],
        [json.loads(found["actionGroupInvocationOutput"]["text"]) for found in observed],
    )


@pytest.mark.parametrize("agent", AGENTS)
def test_the_numbers_of_an_answer_are_those_of_the_weather_service(bridge: Bridge, agent: str) -> None:
    before = tool_runs(bridge)
    early = tomorrow_in_lima(bridge)
    question = bridge.ask(f"@agent {QUESTION}", channel=f"agent-{agent}")
    late = tomorrow_in_lima(bridge)
    [text] = bridge.texts(question)
    day, expected = early if in_words(early[0]) in text else late  # a new day may have dawned
    [line] = [line for line in text.splitlines() if line.startswith(in_words(day))]
    low, high, chance, wind = (expected[name] for name in DAILY)
    assert line.endswith(f", {low:g} °C to {high:g} °C. Rain or snow: {chance} %. Wind: up to {wind:g} km/h.")
    runs = tool_runs(bridge)[len(before) :]
    assert [run.detail["function"] for run in runs] == list(NAMES)
    assert [run.detail["error"] for run in runs] == [None] * 3


def test_traces_show_what_the_tools_were_sent_and_what_they_gave(bridge: Bridge) -> None:
    calls, (found, clock, weather) = traced(bridge, "seen")
    assert [call["actionGroupName"] for call in calls] == list(NAMES.values())
    assert [{p["name"]: p["value"] for p in call["parameters"]} for call in calls] == [
        {"place_name": "Lima"},
        {"timezone": "America/Lima"},
        {"latitude": "-12.05", "longitude": "-77.04", "forecast_days": "3"},
    ]
    assert found["places"][0]["timezone"] == "America/Lima"
    assert clock["coming_days"].keys() > {"Monday", "Friday"}
    day, expected = tomorrow_in_lima(bridge)
    row = dict(zip(weather["daily"]["columns"], weather["daily"]["rows"][1], strict=True))
    assert row["date"] == day
    assert row["high (°C)"] == expected["temperature_2m_max"]
    # Only a tool of its own knows these: the agent does not ask for the hours.
    assert len(weather["hourly"]["rows"]) == 12


def test_each_tool_runs_in_a_process_of_its_own_that_its_first_call_starts() -> None:
    with Simulation(time_scale=0.1) as simulation:
        assert [simulation.lambdas.environments(tool.name) for tool in wiring.TOOLS] == [[], [], []]
        bridge = Bridge(simulation)
        bridge.ask(f"@agent {QUESTION}")
        bridge.ask("@agent Will it rain in Cairo tomorrow?")
        environments = [simulation.lambdas.environments(tool.name) for tool in wiring.TOOLS]
        assert [len(found) for found in environments] == [1, 1, 1]
    assert not any(environment.alive for [environment] in environments)


def test_a_weather_service_that_is_out_of_reach_is_told_of_in_plain_words(bridge: Bridge) -> None:
    bridge.simulation.open_meteo.stop()
    question = bridge.ask(f"@agent {QUESTION}")
    assert bridge.state(question) == "answered"
    assert bridge.texts(question) == [
        "I am sorry, I could not look up the weather of **Lima**. The weather service is out of reach."
    ]
    [run] = tool_runs(bridge)
    assert run.detail["error"] is None


def test_a_tool_that_breaks_down_is_told_of_in_plain_words(bridge: Bridge) -> None:
    lambdas = bridge.simulation.lambdas
    question = bridge.say(f"@agent {QUESTION}")
    bridge.until(lambda: lambdas.kill("places"))
    bridge.settled(question)
    assert bridge.texts(question) == [
        "I am sorry, I could not look up the weather of **Lima**. The tool broke down."
    ]
