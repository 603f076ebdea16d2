import pytest

from functions.settings import AgentSettings, ReceiverSettings, SettingError, ThreadSettings

THREAD = {"BOT_TOKEN_SECRET_ID": "token", "LEDGER_TABLE": "ledger", "LEASE_SECONDS": "60"}
AGENT = {"AGENT_ID": "ABCDEFGHIJ", "AGENT_ALIAS_ID": "TSTALIASID", "SHOW_RATIONALE": "false"}


def test_settings_are_read_by_name() -> None:
    assert ReceiverSettings.read({"QUEUE_URL": "q", "SIGNING_SECRET_ID": "s"}) == ReceiverSettings("q", "s")
    assert ThreadSettings.read(THREAD) == ThreadSettings("token", "ledger", 60.0, "https://slack.com/api/")
    assert AgentSettings.read(AGENT) == AgentSettings("ABCDEFGHIJ", "TSTALIASID", False)


def test_slack_may_be_elsewhere() -> None:
    settings = ThreadSettings.read({**THREAD, "SLACK_API_URL": "http://127.0.0.1:1/api/"})
    assert settings.slack_api_url == "http://127.0.0.1:1/api/"


@pytest.mark.parametrize("name", ["BOT_TOKEN_SECRET_ID", "LEDGER_TABLE", "LEASE_SECONDS"])
@pytest.mark.parametrize("left", [{}, {"": ""}])
def test_a_missing_variable_is_named(name: str, left: dict[str, str]) -> None:
    incomplete = {key: value for key, value in THREAD.items() if key != name} | left
    with pytest.raises(SettingError, match=f"{name} is not set"):
        ThreadSettings.read(incomplete)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "901", "nan", "inf"])
def test_a_lease_must_be_a_number_of_seconds(value: str) -> None:
    with pytest.raises(SettingError, match=f"LEASE_SECONDS is '{value}'; allowed are 1 to 900 seconds"):
        ThreadSettings.read({**THREAD, "LEASE_SECONDS": value})


def test_a_switch_is_true_or_false() -> None:
    with pytest.raises(SettingError, match="SHOW_RATIONALE is 'yes'; allowed are true and false"):
        AgentSettings.read({**AGENT, "SHOW_RATIONALE": "yes"})
