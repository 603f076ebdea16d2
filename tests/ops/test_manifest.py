import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from simulator.aws import SIGNING_SECRET_ID
from simulator.simulation import MANIFEST, Simulation
from simulator.slack.app_management import AppManagement
from tests.ops.conftest import Bridge, CloudFormation, result, secret

RECORD = "agent-bridge/slack-app-configuration"


@pytest.fixture(autouse=True)
def nothing_remembered(simulation: Simulation, management: AppManagement) -> Iterator[None]:
    yield
    management.apps.clear()
    names = [one["Name"] for one in simulation.aws.secrets.list_secrets()["SecretList"]]
    if RECORD in names:
        simulation.aws.secrets.delete_secret(SecretId=RECORD, ForceDeleteWithoutRecovery=True)


def test_it_prints_the_manifest_with_the_stacks_address_and_a_link(
    bridge: Bridge, simulation: Simulation
) -> None:
    done = bridge("manifest")
    assert done.exit_code == 0
    made = json.loads(done.stdout)
    assert made["settings"]["event_subscriptions"]["request_url"] == simulation.bridge.events_url
    link = urlsplit(done.stderr.split()[-1])
    assert (link.netloc, link.path) == ("api.slack.com", "/apps")
    query = parse_qs(link.query)
    assert query["new_app"] == ["1"]
    assert json.loads(query["manifest_json"][0]) == made


def test_with_a_placeholder_it_prints_the_file_of_the_repository(bridge: Bridge) -> None:
    assert bridge("manifest", "--address", "https://REPLACE-ME").stdout == MANIFEST.read_text()


def test_an_app_is_created_and_its_signing_secret_stored_and_accepted(
    bridge: Bridge, simulation: Simulation, management: AppManagement
) -> None:
    first = management.refresh_token
    done = bridge("manifest", "--apply", "--json", typed=f"{first}\n")
    assert done.exit_code == 0, done.output
    facts = result(done)
    app = management.apps[facts["app_id"]]
    assert facts["created"]
    assert facts["install"].startswith("https://slack.com/oauth/v2/authorize")
    assert app.manifest["settings"]["event_subscriptions"]["request_url"] == simulation.bridge.events_url
    assert secret(simulation, SIGNING_SECRET_ID) == app.signing_secret
    assert json.loads(secret(simulation, RECORD)) == {
        "refresh_token": management.refresh_token,
        "app_id": app.id,
    }
    assert management.refresh_token != first
    assert app.signing_secret not in done.output


def test_the_second_time_it_asks_for_nothing_and_updates_the_app(
    bridge: Bridge, management: AppManagement
) -> None:
    [created] = [result(bridge("manifest", "--apply", "--json", typed=management.refresh_token))]
    management.apps[created["app_id"]].manifest["oauth_config"]["scopes"]["bot"] = ["chat:write"]
    done = bridge("manifest", "--apply")
    assert done.exit_code == 0, done.output
    assert "updated" in done.stderr
    assert "Install it again, as it has new scopes" in done.stderr
    assert len(management.apps) == 1
    assert "Install" not in bridge("manifest", "--apply").stderr


def test_an_app_that_was_made_by_hand_is_named_once(
    bridge: Bridge, management: AppManagement, simulation: Simulation
) -> None:
    bridge("manifest", "--apply", typed=management.refresh_token)
    [by_hand] = management.apps
    simulation.aws.secrets.delete_secret(SecretId=RECORD, ForceDeleteWithoutRecovery=True)
    first = bridge("manifest", "--apply", "--app-id", by_hand, "--json", typed=management.refresh_token)
    assert result(first) == {"ok": True, "app_id": by_hand, "created": False, "install": ""}
    assert result(bridge("manifest", "--apply", "--json"))["app_id"] == by_hand
    assert [*management.apps] == [by_hand]


def test_an_access_token_does_once(bridge: Bridge, management: AppManagement, simulation: Simulation) -> None:
    done = bridge("manifest", "--apply", typed=management.new_token())
    assert done.exit_code == 0, done.output
    assert "refresh_token" not in secret(simulation, RECORD)


@pytest.mark.parametrize(
    ("typed", "code", "said"),
    [
        ("", 2, "One token of Slack's app management is needed"),
        ("xoxb-1-abc", 2, "That is no token of Slack's app management"),
        ("xoxe-1-used", 1, "invalid_refresh_token; it was used already"),
        ("xoxe.xoxp-1-unknown", 1, "invalid_auth; Slack does not know this token"),
    ],
)
def test_a_wrong_token_is_explained_and_not_shown(
    bridge: Bridge, management: AppManagement, typed: str, code: int, said: str
) -> None:
    done = bridge("manifest", "--apply", typed=typed)
    assert done.exit_code == code
    assert said in done.stderr
    assert not typed or typed not in done.output
    assert management.apps == {}


def test_an_expired_token_is_explained(bridge: Bridge, management: AppManagement) -> None:
    done = bridge("manifest", "--apply", typed=management.new_token(lives_for=-1))
    assert done.exit_code == 1
    assert "token_expired; it lives for 12 hours" in done.stderr


def test_a_refresh_token_that_slack_no_longer_takes_is_forgotten(
    bridge: Bridge, management: AppManagement, simulation: Simulation
) -> None:
    bridge("manifest", "--apply", typed=management.refresh_token)
    management.refresh_token = "xoxe-1-another"
    assert "invalid_refresh_token" in bridge("manifest", "--apply").stderr
    assert "refresh_token" not in secret(simulation, RECORD)
    assert bridge("manifest", "--apply", typed="xoxe-1-another").exit_code == 0


def test_an_app_of_somebody_else_is_named(bridge: Bridge, management: AppManagement) -> None:
    done = bridge("manifest", "--apply", "--app-id", "A0NOBODY", typed=management.refresh_token)
    assert done.exit_code == 1
    assert "invalid_app_id; the app does not exist" in done.stderr


def test_without_a_stack_deploying_comes_first(bridge: Bridge, cloudformation: CloudFormation) -> None:
    cloudformation.outputs.clear()
    done = bridge("manifest", "--json")
    assert done.exit_code == 1
    assert "There is no stack agent-bridge in us-east-1. Deploy first: make deploy" in result(done)["error"]


def test_a_stack_without_its_outputs_is_named(bridge: Bridge, cloudformation: CloudFormation) -> None:
    del cloudformation.outputs["agent-bridge"]["SlackRequestUrl"]
    assert "lacks the outputs SlackRequestUrl" in bridge("manifest").stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--address", "REPLACE-ME"),
        ("--address", "https://host/path"),
        ("--address", "https://host", "--apply"),
        ("--app-id", "A1"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(bridge: Bridge, options: tuple[str, ...]) -> None:
    assert bridge("manifest", *options).exit_code == 2
