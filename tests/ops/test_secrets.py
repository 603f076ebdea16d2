import secrets as random
from pathlib import Path

import pytest

from simulator.aws import BOT_TOKEN_SECRET_ID, SIGNING_SECRET_ID
from simulator.simulation import Simulation
from tests.ops.conftest import Bridge, CloudFormation, in_a_terminal, result, secret


@pytest.fixture
def token(simulation: Simulation) -> str:
    """The token that Slack takes."""
    return simulation.slack.installation.bot_token


@pytest.fixture
def unfilled(simulation: Simulation) -> dict[str, str]:
    """What is stored before: nothing that is of use."""
    before = {name: random.token_hex(16) for name in (BOT_TOKEN_SECRET_ID, SIGNING_SECRET_ID)}
    for name, text in before.items():
        simulation.aws.secrets.put_secret_value(SecretId=name, SecretString=text)
    return before


def test_both_are_checked_stored_and_accepted(
    bridge: Bridge, simulation: Simulation, token: str, unfilled: dict[str, str]
) -> None:
    signing = random.token_hex(16)
    done = bridge("secrets", "--json", typed=f"{signing}\n{token}\n")
    assert done.exit_code == 0, done.output
    facts = result(done)
    assert facts["team"] == "Weather Company"
    assert facts["stored"] == ["bot token", "signing secret"]
    assert secret(simulation, BOT_TOKEN_SECRET_ID) == token
    assert secret(simulation, SIGNING_SECRET_ID) == signing
    assert secret(simulation, SIGNING_SECRET_ID) != unfilled[SIGNING_SECRET_ID]
    assert token not in done.output
    assert signing not in done.output


@pytest.mark.usefixtures("bridge")
def test_in_a_terminal_they_are_typed_unseen(simulation: Simulation, token: str, config: Path) -> None:
    signing = random.token_hex(16)
    code, shown = in_a_terminal(
        ["secrets", "--config", str(config)], {"Bot token": token, "Signing secret": signing}
    )
    assert code == 0, shown
    assert secret(simulation, SIGNING_SECRET_ID) == signing
    assert token not in shown
    assert signing not in shown
    assert "The bridge accepts it." in shown


def test_people_are_shown_whose_token_it_is(bridge: Bridge, token: str) -> None:
    done = bridge("secrets", typed=token)
    assert "@agent in Weather Company (https://weather-company.slack.com/)" in done.stderr


def test_while_one_is_rotated_two_signing_secrets_count(
    bridge: Bridge, simulation: Simulation, unfilled: dict[str, str]
) -> None:
    new, old = random.token_hex(16), unfilled[SIGNING_SECRET_ID]
    assert bridge("secrets", typed=f"{new}\n{old}\n").exit_code == 0
    assert secret(simulation, SIGNING_SECRET_ID) == f"{new}\n{old}"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Nothing was given"),
        ("xoxp-1-user", "it holds a user token"),
        ("xapp-1-A-1-b", "it holds an app-level token"),
        ("xoxe.xoxb-1-rotated", "token of Slack's token rotation"),
        ("8f742231b10e8888abcd99yyyzzz85a5", "example of Slack's documentation"),
        ("xoxb-1-a\nxoxb-1-b", "Two bot tokens were given"),
        ("xoxb-1 a", "expected is a bot token"),
    ],
)
def test_a_wrong_value_is_explained_and_nothing_stored(
    bridge: Bridge, simulation: Simulation, unfilled: dict[str, str], typed: str, said: str
) -> None:
    done = bridge("secrets", typed=typed)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not typed or typed not in done.output
    assert {name: secret(simulation, name) for name in unfilled} == unfilled


def test_a_token_that_slack_does_not_take_is_not_stored(
    bridge: Bridge, simulation: Simulation, unfilled: dict[str, str]
) -> None:
    done = bridge("secrets", typed="xoxb-1-unknown")
    assert done.exit_code == 1
    assert "Slack refused auth.test: invalid_auth; Slack does not know this token" in done.stderr
    assert {name: secret(simulation, name) for name in unfilled} == unfilled


def test_a_token_that_lacks_scopes_is_not_stored(
    bridge: Bridge, simulation: Simulation, token: str, unfilled: dict[str, str]
) -> None:
    scopes = simulation.slack.installation.scopes
    scopes -= {"files:write", "users:read"}
    try:
        done = bridge("secrets", typed=token)
    finally:
        scopes |= {"files:write", "users:read"}
    assert done.exit_code == 1
    assert "the token lacks the scopes files:write, users:read" in done.stderr
    assert {name: secret(simulation, name) for name in unfilled} == unfilled


def test_scopes_that_nothing_needs_are_named(bridge: Bridge, simulation: Simulation, token: str) -> None:
    scopes = simulation.slack.installation.scopes
    scopes.add("admin")
    try:
        done = bridge("secrets", "--json", typed=token)
    finally:
        scopes.remove("admin")
    assert result(done)["spare_scopes"] == ["admin"]


def test_a_bridge_that_does_not_accept_the_secret_is_explained(
    bridge: Bridge, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch, simulation: Simulation
) -> None:
    monkeypatch.setattr("ops.verification.PATIENCE_SECONDS", 0.0)
    cloudformation.outputs["agent-bridge"]["SlackRequestUrl"] = f"{simulation.url}/nothing-here"
    done = bridge("secrets", typed=random.token_hex(16))
    assert done.exit_code == 1
    assert "did not accept the signing secret within 0 s: HTTP 404" in done.stderr


def test_the_order_of_a_rotation_is_told_and_nothing_is_done(
    bridge: Bridge, cloudformation: CloudFormation
) -> None:
    cloudformation.outputs.clear()
    done = bridge("secrets", "--rotate")
    assert done.exit_code == 0
    assert "first the new secret, then the old one" in done.stdout


def test_a_wrong_bridge_toml_is_wrong_usage(bridge: Bridge, config: Path) -> None:
    config.write_text('name = "no good"\n')
    done = bridge("secrets", "--json")
    assert done.exit_code == 2
    assert "bridge.toml: name is" in result(done)["error"]
