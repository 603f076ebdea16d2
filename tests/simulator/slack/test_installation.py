from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import MANIFEST


def test_the_app_gets_what_the_shipped_manifest_asks_for(service: SlackService) -> None:
    installation = service.installation
    assert installation.bot_events == {
        "agent_session_stopped",
        "app_mention",
        "message.im",
    }  # what the receiver acts on
    assert {"app_mentions:read", "chat:write", "im:history", "assistant:write"} <= installation.scopes
    assert installation.messages_tab
    assert installation.bot.name == MANIFEST["features"]["bot_user"]["display_name"]


def test_the_shipped_manifest_keeps_slacks_limits_of_length() -> None:
    display = MANIFEST["display_information"]
    assert len(display["name"]) <= 35
    assert len(display["description"]) <= 140
    assert len(MANIFEST["features"]["agent_view"]["agent_description"]) <= 300
    assert len(MANIFEST["features"]["bot_user"]["display_name"]) <= 80


def test_the_shipped_manifest_is_for_http_with_lasting_tokens() -> None:
    settings = MANIFEST["settings"]
    assert settings["event_subscriptions"]["request_url"].endswith("/slack/events")
    assert settings["interactivity"]["is_enabled"]
    assert settings["interactivity"]["request_url"].endswith("/slack/interactivity")
    assert not settings["socket_mode_enabled"]
    assert not settings["token_rotation_enabled"]
