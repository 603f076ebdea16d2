"""The tools' schemas are written once, and each place that has them takes them as they are."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from config.bridge_toml import SampleAgent
from infra.code_asset import bundle
from sample.bedrock_agent_stack import INSTRUCTIONS, SampleAgentStack
from sample.harness_stack import SampleHarnessStack
from sample.tool_functions import SCHEMAS, TOOLS, read_tools

NAMES = {
    "places": "obtain-latitude-longitude-from-place-name",
    "weather": "obtain-weather-information-with-coordinates",
    "clock": "get-current-date-time-from-timezone",
}


@pytest.fixture(scope="module", params=[SampleAgentStack, SampleHarnessStack])
def template(request: pytest.FixtureRequest, cdk_context: dict[str, Any]) -> Template:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    return Template.from_stack(request.param(app, "sample", name="agent-bridge"))


@pytest.fixture(scope="module")
def classic(cdk_context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the Bedrock agent is told of each function, by the action group's name."""
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    template = Template.from_stack(SampleAgentStack(app, "sample", name="agent-bridge"))
    (agent,) = template.find_resources("AWS::Bedrock::Agent").values()
    groups = agent["Properties"]["ActionGroups"]
    assert all(len(group["FunctionSchema"]["Functions"]) == 1 for group in groups)
    return {group["ActionGroupName"]: group["FunctionSchema"]["Functions"][0] for group in groups}


@pytest.fixture(scope="module")
def harness(cdk_context: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the gateway is told of each tool, with the target's name as `Target`, by the tool's name."""
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    template = Template.from_stack(SampleHarnessStack(app, "sample", name="agent-bridge"))
    found = {}
    for target in template.find_resources("AWS::BedrockAgentCore::GatewayTarget").values():
        configuration = target["Properties"]["TargetConfiguration"]["Mcp"]["Lambda"]
        (tool,) = configuration["ToolSchema"]["InlinePayload"]
        found[tool["Name"]] = {**tool, "Target": target["Properties"]["Name"]}
    return found


def test_the_tools_are_those_of_the_reference() -> None:
    assert {tool.module: tool.name for tool in read_tools()} == NAMES


def test_every_tool_is_a_module_with_a_handler() -> None:
    for module in NAMES:
        assert "def handler(event: Event, context: object)" in (TOOLS / f"{module}.py").read_text()


def test_both_generations_have_the_same_tools(
    classic: dict[str, dict[str, Any]], harness: dict[str, dict[str, Any]]
) -> None:
    assert classic.keys() == harness.keys() == set(NAMES.values())
    for name, tool in harness.items():
        function, properties = classic[name], tool["InputSchema"]["Properties"]
        assert function["Name"] == tool["Target"]
        assert function["Description"] == tool["Description"]
        assert function["Parameters"].keys() == properties.keys()
        for parameter, detail in function["Parameters"].items():
            assert detail["Type"] == properties[parameter]["Type"]
            assert detail["Description"] == properties[parameter]["Description"]
            assert detail["Required"] == (parameter in tool["InputSchema"]["Required"])


def test_the_functions_check_what_the_models_are_told(harness: dict[str, dict[str, Any]]) -> None:
    for schema in json.loads(SCHEMAS.read_text()).values():
        told = harness[schema["name"]]["InputSchema"]
        assert told["Type"] == "object"
        assert {name: rule["Type"] for name, rule in told["Properties"].items()} == {
            name: rule["type"] for name, rule in schema["parameters"].items()
        }
        assert told["Required"] == [
            name for name, rule in schema["parameters"].items() if rule.get("required")
        ]


def test_limits_and_defaults_stand_in_the_descriptions(harness: dict[str, dict[str, Any]]) -> None:
    properties = harness[NAMES["weather"]]["InputSchema"]["Properties"]
    assert properties["latitude"]["Description"] == "Degrees, north positive. From -90 to 90."
    assert properties["forecast_days"]["Description"].endswith("From 1 to 16. Without it: 7.")
    assert properties["past_days"]["Description"].endswith("From 0 to 14. Without it: 0.")


def test_the_instructions_tell_how_far_the_forecast_reaches() -> None:
    (weather,) = (tool for tool in read_tools() if tool.module == "weather")
    back, days = weather.parameters["past_days"]["maximum"], weather.parameters["forecast_days"]["maximum"]
    assert f"{back} days back and {days - 1} days ahead" in INSTRUCTIONS.read_text()


def test_names_and_texts_keep_to_the_services_limits() -> None:
    # CreateAgentActionGroup, CreateGatewayTarget, Function and ParameterDetail in the service models of
    # bedrock-agent and bedrock-agentcore-control; five parameters is the quota of an action group's function.
    for tool in read_tools():
        assert re.fullmatch("([0-9a-zA-Z]-?){1,100}", tool.name)
        assert len(f"{tool.module}___{tool.name}") <= 64 - len("gateway_")
        assert 1 <= len(tool.description) <= 200
        assert len(tool.parameters) <= 5
        for parameter in tool.parameters.values():
            assert 1 <= len(parameter["description"]) <= 400


def test_every_tool_has_a_function_with_a_log_and_nothing_else_to_its_name(template: Template) -> None:
    functions = template.find_resources("AWS::Lambda::Function")
    assert sorted(function["Properties"]["Handler"] for function in functions.values()) == [
        f"sample.tools.{module}.handler" for module in sorted(NAMES)
    ]
    policies = template.find_resources("AWS::IAM::Policy").values()
    for function in functions.values():
        assert function["Properties"]["Timeout"] == 15
        role = function["Properties"]["Role"]["Fn::GetAtt"][0]
        allowed = [
            action
            for policy in policies
            if policy["Properties"]["Roles"] == [{"Ref": role}]
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            for action in statement["Action"]
        ]
        assert sorted(allowed) == [
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ]


def test_each_tool_is_told_its_own_address_if_one_is_set(cdk_context: dict[str, Any]) -> None:
    app = cdk.App(context={**cdk_context, "aws:cdk:bundling-stacks": []})
    settings = SampleAgent(
        geocoding_url="https://weather.example.com/v1/search",
        forecast_url="https://weather.example.com/v1/forecast",
    )
    stack = SampleHarnessStack(app, "sample", name="agent-bridge", settings=settings)
    functions = Template.from_stack(stack).find_resources("AWS::Lambda::Function").values()
    addresses = {
        function["Properties"]["Handler"].split(".")[2]: (
            function["Properties"].get("Environment", {}).get("Variables", {})
        )
        for function in functions
    }
    assert addresses == {
        "places": {"GEOCODING_URL": "https://weather.example.com/v1/search"},
        "weather": {"FORECAST_URL": "https://weather.example.com/v1/forecast"},
        "clock": {},
    }


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("asset")
    bundle(target, TOOLS)
    return target


def test_the_tools_have_an_asset_with_themselves_and_the_time_zones(asset: Path) -> None:
    sources = {path.name for path in TOOLS.iterdir() if path.suffix in (".py", ".json")}
    assert sources <= {path.name for path in (asset / "sample" / "tools").iterdir()}
    beside = {path.name.partition("-")[0] for path in asset.iterdir()}
    assert beside == {"sample", "tzdata"}
    assert [path.name for path in (asset / "sample").iterdir()] == ["tools"]


def test_the_asset_of_the_tools_is_all_that_they_need(asset: Path) -> None:
    # Without search paths for time zones, as if the system had none.
    program = (
        f"import sys; sys.path.insert(0, {str(asset)!r}); import sample.tools.places, sample.tools.weather; "
        "from sample.tools import clock; import zoneinfo; zoneinfo.reset_tzpath([]); "
        "print(clock.handler({'timezone': 'Europe/Berlin'}, None)['timezone'])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "Europe/Berlin\n"
