"""The Slack app's manifest follows from the settings."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.bridge_toml import Config, check
from config.manifest import FEATURES, dev_manifest, events, manifest, manifest_without_address, scopes
from simulator.slack.app_management import problems_of

FILE = Path(__file__).parents[2] / "slack-app-manifest.json"
AGENT = {"kind": "bedrock-agent", "agent_id": "ABCDEFGHIJ", "alias_id": "TSTALIASID"}


def config(**tables: Any) -> Config:
    return check({"name": "agent-bridge", "agents": {"default": AGENT}, **tables})


def test_the_file_is_that_of_the_default_settings() -> None:
    expected = json.dumps(manifest(config()), indent=2, ensure_ascii=False) + "\n"
    assert FILE.read_text() == expected, "run: .venv/bin/bridge manifest --address https://REPLACE-ME"


@pytest.mark.parametrize("made", [manifest, manifest_without_address, dev_manifest])
@pytest.mark.parametrize("tables", [{}, {"app": {"name": "W" * 29, "description": "d" * 140}}])
def test_slack_takes_it(made: Any, tables: dict[str, Any]) -> None:
    assert problems_of(made(config(**tables))) == []


def test_each_feature_brings_its_scopes_and_events() -> None:
    on = [feature for feature in FEATURES if feature.is_on(config())]
    assert scopes(config()) == sorted({scope for feature in on for scope in feature.scopes})
    assert events(config()) == ["agent_session_stopped", "app_mention", "message.im"]


def test_an_approving_user_group_needs_a_scope_of_its_own() -> None:
    assert "usergroups:read" not in scopes(config())
    assert "usergroups:read" in scopes(config(agents={"default": {**AGENT, "approvers": ["S0123456789"]}}))
    assert "usergroups:read" not in scopes(
        config(agents={"default": {**AGENT, "approvers": ["U0123456789"]}})
    )


def test_without_direct_messages_slack_lets_nobody_write_any() -> None:
    made = manifest(config(access={"direct_messages": False}))
    assert "im:history" not in made["oauth_config"]["scopes"]["bot"]
    assert "message.im" not in made["settings"]["event_subscriptions"]["bot_events"]
    assert made["features"]["app_home"]["messages_tab_read_only_enabled"] is True
    assert made["features"]["agent_view"]["agent_description"] == "Answers questions in channels."


@pytest.mark.parametrize(
    ("name", "mention"),
    [("Agent", "agent"), ("Weather Desk", "weather-desk"), ("Wetter!", "wetter"), ("!", "agent")],
)
def test_the_app_is_mentioned_by_its_name(name: str, mention: str) -> None:
    made = manifest(config(app={"name": name, "description": "Ask me."}))
    assert made["display_information"] == {"name": name, "description": "Ask me."}
    assert made["features"]["bot_user"]["display_name"] == mention


def test_the_second_app_gets_its_events_over_socket_mode_only() -> None:
    made = dev_manifest(config())
    assert made["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in json.dumps(made)
    assert made["display_information"]["name"] == "Agent (dev)"
    assert made["settings"]["event_subscriptions"]["bot_events"] == events(config())
