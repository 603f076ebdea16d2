from typing import Any

import pytest

from config.agents import KINDS
from config.approvals import too_short_sessions
from config.bridge_toml import ConfigError, check
from config.document import document
from functions.bridge.admission.approvers import ApproverRule, Approvers
from functions.bridge.agents.tools import Tool
from functions.settings import AgentSettings, Settings

BEDROCK = {"kind": "bedrock-agent", "agent_id": "ABCDEFGHIJ", "alias_id": "TSTALIASID"}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:send-email"

WORDS = 'allowed: "asker" or "anyone" or "not_asker", or a list of people and user groups'
ID = 'the id of a person or of a user group, such as "U0123456789" or "S0123456789"'
ARN = 'the ARN of a Lambda function, "arn:aws:lambda:REGION:ACCOUNT:function:NAME", with ":ALIAS" or without'
TOOL = f'allowed: {ARN}; "decision"; or {{ function = "ARN", approve = false }}'


def settings(**own: Any) -> Settings:
    return check({"name": "agent-bridge", "agents": {"default": {**BEDROCK, **own}}}).settings


def agent(**own: Any) -> AgentSettings:
    return settings(**own).agents["default"]


def problems(**own: Any) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        settings(**own)
    return [problem.removeprefix("agents.default.") for problem in raised.value.problems]


def test_the_asker_decides_and_no_tool_is_known() -> None:
    assert agent().approvers == Approvers(ApproverRule.ASKER)
    assert agent().tools == {}


@pytest.mark.parametrize(
    ("own", "seconds"), [({}, 600), ({"idle_seconds": 300}, 300), ({"idle_seconds": 3600}, 900)]
)
def test_people_have_a_quarter_of_an_hour_or_as_long_as_the_session_lasts(
    own: dict[str, int], seconds: int
) -> None:
    assert agent(**own).approval_seconds == seconds


@pytest.mark.parametrize("word", ["asker", "anyone", "not_asker"])
def test_a_word_says_who_decides(word: str) -> None:
    assert agent(approvers=word).approvers == Approvers(ApproverRule(word))


def test_people_and_groups_may_be_listed() -> None:
    assert agent(approvers=["S012", "U012", "W012"]).approvers == Approvers(
        ApproverRule.LISTED, ("U012", "W012"), ("S012",)
    )


@pytest.mark.parametrize(
    ("approvers", "problem"),
    [
        ("boss", f'approvers is "boss"; {WORDS}'),
        ("listed", f'approvers is "listed"; {WORDS}'),
        (1, f"approvers is 1; {WORDS}"),
        ([], f"approvers is []; allowed: one entry or more, each {ID}; without the key the asker decides"),
        (["@admins"], f'approvers is ["@admins"]; allowed: a list, each entry {ID}'),
        (["asker"], f'approvers is ["asker"]; allowed: a list, each entry {ID}'),
        (["C0123456789"], f'approvers is ["C0123456789"]; allowed: a list, each entry {ID}'),
    ],
)
def test_approvers_that_are_none_are_refused(approvers: object, problem: str) -> None:
    assert problems(approvers=approvers) == [problem]


@pytest.mark.parametrize("seconds", [59, 39_601, "900", True])
def test_people_have_between_a_minute_and_eleven_hours(seconds: object) -> None:
    shown = {True: "true", "900": '"900"'}.get(seconds, str(seconds))
    assert problems(approval_seconds=seconds) == [
        f"approval_seconds is {shown}; allowed: a whole number from 60 to 39600"
    ]


@pytest.mark.parametrize("end", ["", ":live", ":7", ":$LATEST"])
def test_a_tool_is_a_function_that_a_person_approves(end: str) -> None:
    assert agent(tools={"send_email": FUNCTION + end}).tools == {
        "send_email": Tool(FUNCTION + end, approve=True)
    }


def test_a_tool_may_run_without_approval() -> None:
    tools = {"look_up": {"function": FUNCTION, "approve": False}}
    assert agent(tools=tools).tools == {"look_up": Tool(FUNCTION, approve=False)}


def test_a_decision_may_be_all_that_a_tool_asks_for() -> None:
    assert agent(tools={"Ask a person": "decision"}).tools == {"Ask a person": Tool("", approve=True)}


@pytest.mark.parametrize(
    ("tool", "problem"),
    [
        ("send-email", f'tools.send is "send-email"; {TOOL}'),
        (True, f"tools.send is true; {TOOL}"),
        (FUNCTION.replace("us-east-1", "cn-north-1"), None),
        (FUNCTION.replace(":function:", ":layer:"), None),
        (FUNCTION + ":", None),
        (FUNCTION + ":live:2", None),
        ({}, f"tools.send.function is missing; allowed: {ARN}"),
        ({"function": "decision"}, f'tools.send.function is "decision"; allowed: {ARN}'),
        ({"function": FUNCTION, "approve": "no"}, 'tools.send.approve is "no"; allowed: true or false'),
        (
            {"function": FUNCTION, "aprove": False},
            "tools.send.aprove is not a setting; allowed here: function, approve",
        ),
    ],
)
def test_a_tool_that_is_none_is_refused(tool: object, problem: str | None) -> None:
    assert problems(tools={"send": tool}) == [problem or f'tools.send is "{tool}"; {TOOL}']


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 101])
def test_a_name_that_no_tool_has_is_refused(name: str) -> None:
    assert problems(tools={name: FUNCTION}) == [
        f"tools.{name} is not a name for a tool; allowed: the name under which the agent asks for it"
    ]


def test_tools_are_a_table() -> None:
    assert problems(tools=[FUNCTION]) == [f'tools is ["{FUNCTION}"]; allowed: a table']


def test_functions_read_what_was_written(tmp_path: Any) -> None:
    written = settings(
        approvers=["S012", "U012"],
        approval_seconds=60,
        tools={"a b": FUNCTION, "c": {"function": FUNCTION, "approve": False}, "d": "decision"},
    )
    file = tmp_path / "settings.json"
    file.write_text(document(written), "utf-8")
    assert Settings.read({"SETTINGS_FILE": str(file)}) == written


def test_a_session_that_ends_before_the_decision_is_warned_of() -> None:
    [warning] = too_short_sessions(settings(approval_seconds=900).agents)
    assert warning.startswith(
        "agents.default.approval_seconds is 900, and the agent's session ends after 600 idle seconds"
    )
    assert "agents.default.idle_seconds" in warning


@pytest.mark.parametrize(
    ("own", "warned"),
    [
        ({"approval_seconds": 600}, False),
        ({"approval_seconds": 601}, True),
        ({"approval_seconds": 900, "idle_seconds": 899}, True),
        ({"approval_seconds": 900, "idle_seconds": 900}, False),
        ({"idle_seconds": 60, "tools": {"send": FUNCTION}}, False),
        ({"approval_seconds": 5401, "idle_seconds": 5400}, True),
    ],
)
def test_only_sessions_that_are_shorter_are_warned_of(own: dict[str, Any], warned: bool) -> None:
    assert bool([*too_short_sessions(settings(**own).agents)]) is warned


def test_nobody_is_warned_of_an_agent_as_it_comes() -> None:
    arn = "arn:aws:bedrock-agentcore:us-east-1:123456789012:{}/finops-A1b2C3d4E5"
    own: dict[str, dict[str, str]] = {
        "bedrock-agent": {"agent_id": "ABCDEFGHIJ", "alias_id": "TSTALIASID"},
        "agentcore-harness": {"arn": arn.format("harness")},
        "agentcore-runtime": {"arn": arn.format("runtime")},
    }
    for kind in KINDS:
        agents = {"default": {"kind": kind, **own[kind]}}
        assert not [*too_short_sessions(check({"name": "agent-bridge", "agents": agents}).settings.agents)]
