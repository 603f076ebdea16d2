import pytest

from functions.bridge.manner import Manner, Style
from functions.settings import (
    AgentSettings,
    AgentsSettings,
    ReceiverSettings,
    ReplySettings,
    SettingError,
    ThreadSettings,
)

THREAD = {
    "QUEUE_URL": "queue",
    "BOT_TOKEN_SECRET_ID": "token",
    "LEDGER_TABLE": "ledger",
    "LEASE_SECONDS": "60",
    "NOTIFY_AFTER_SECONDS": "60",
}
AGENTS = """{
    "agents": {"default": {"kind": "bedrock-agent", "agent_id": "ABCDEFGHIJ", "alias_id": "TSTALIASID"}},
    "routes": {"C1": "default"}
}"""
REPLY = {"REPLY_STYLE": "stream", "SHOW_RATIONALE": "false"}


def test_settings_are_read_by_name() -> None:
    receiver = {"QUEUE_URL": "q", "CONTROL_QUEUE_URL": "c", "SIGNING_SECRET_ID": "s"}
    assert ReceiverSettings.read(receiver) == ReceiverSettings("q", "c", "s")
    thread = ThreadSettings("queue", "token", "ledger", 60.0, 60.0, "https://slack.com/api/")
    assert ThreadSettings.read(THREAD) == thread
    agent = AgentSettings("bedrock-agent", agent_id="ABCDEFGHIJ", alias_id="TSTALIASID")
    assert AgentsSettings.read({"AGENTS": AGENTS}) == AgentsSettings({"default": agent}, {"C1": "default"})
    manner = Manner(Style.STREAM, show_rationale=False)
    assert ReplySettings.read(REPLY) == ReplySettings(manner, "https://files.slack.com")


def test_slack_may_be_elsewhere() -> None:
    settings = ThreadSettings.read({**THREAD, "SLACK_API_URL": "http://127.0.0.1:1/api/"})
    assert settings.slack_api_url == "http://127.0.0.1:1/api/"
    reply = ReplySettings.read({**REPLY, "SLACK_FILES_ORIGIN": "http://127.0.0.1:2"})
    assert reply.files_origin == "http://127.0.0.1:2"


@pytest.mark.parametrize("name", THREAD)
def test_a_missing_or_empty_variable_is_named(name: str) -> None:
    for incomplete in ({key: value for key, value in THREAD.items() if key != name}, {**THREAD, name: ""}):
        with pytest.raises(SettingError, match=f"{name} is not set"):
            ThreadSettings.read(incomplete)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "901", "nan", "inf"])
def test_a_lease_must_be_a_number_of_seconds(value: str) -> None:
    with pytest.raises(SettingError, match=f"LEASE_SECONDS is '{value}'; allowed are 1 to 900 seconds"):
        ThreadSettings.read({**THREAD, "LEASE_SECONDS": value})


def test_a_switch_is_true_or_false() -> None:
    with pytest.raises(SettingError, match="SHOW_RATIONALE is 'yes'; allowed are true and false"):
        ReplySettings.read({**REPLY, "SHOW_RATIONALE": "yes"})


def test_a_style_is_one_of_two() -> None:
    with pytest.raises(SettingError, match="REPLY_STYLE is 'morse'; allowed are edit and stream"):
        ReplySettings.read({**REPLY, "REPLY_STYLE": "morse"})


@pytest.mark.parametrize("value", ["agent", "[]", "{}", '{"agents": {"default": {"knid": 1}}, "routes": {}}'])
def test_agents_that_the_template_would_not_write_are_refused(value: str) -> None:
    with pytest.raises(SettingError, match="AGENTS is "):
        AgentsSettings.read({"AGENTS": value})


def test_what_an_agent_of_a_kind_needs_is_named() -> None:
    with pytest.raises(SettingError, match="AGENTS has no alias_id for an agent of kind 'bedrock-agent'"):
        AgentSettings("bedrock-agent", agent_id="ABCDEFGHIJ").target("alias_id")


def test_a_receiver_that_has_its_old_variables_still_sends_everything_to_the_worker() -> None:
    """Lambda updates a function's code and its variables one after the other."""
    old = ReceiverSettings.read({"QUEUE_URL": "q", "SIGNING_SECRET_ID": "s"})
    assert old.control_queue_url == "q"
