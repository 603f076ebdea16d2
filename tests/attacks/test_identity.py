"""What is meant for another app or another workspace runs no agent and shows nowhere."""

import threading
from dataclasses import replace

import pytest

from functions.adapters.slack.chat import SlackChat
from functions.bridge.ledger.record import State
from functions.bridge.people import Identity
from functions.bridge.replies.chat import ChatRefused, ChatUnavailable
from functions.bridge.turn import Turn, from_json, to_json
from functions.bridge.turns.outcome import Verdict
from simulator.aws import Aws
from simulator.slack import seed
from simulator.slack.faults import Fault
from simulator.slack.service import SlackService
from tests.functions.adapters.slack.test_chat import chat as chat
from tests.functions.adapters.slack.test_chat import clock as clock
from tests.functions.bridge.asking import SUNNY, take
from tests.functions.bridge.incoming.test_events import MENTION, turn_of
from tests.functions.fakes import TURN, FakeClock, ScriptedAgent, Stage

OURS = replace(TURN, app="A1")
GRID = Identity("A1", "UBOT", "T1", "E1")
ORG_WIDE = Identity("", "UBOT", "E1", "E1", is_org_wide=True)


def asked(stage: Stage, turn: Turn, us: Identity | None = None) -> tuple[Verdict, int]:
    """The verdict, and how often the agent ran."""
    stage.chat.us = us or stage.chat.us
    agent = ScriptedAgent(stage.clock, SUNNY)
    return take(stage, turn=turn, agent=agent).verdict, len(agent.runs)


def test_a_turn_says_for_which_app_and_installation_it_is() -> None:
    installation = {"enterprise_id": "E1", "team_id": "T1", "user_id": "UBOT"}
    turn = turn_of(MENTION, authorizations=[installation])
    assert (turn.app, turn.organization, turn.team) == ("A1", "E1", "T1")
    assert from_json(to_json(turn)) == turn


@pytest.mark.parametrize(
    ("turn", "us"),
    [
        (replace(OURS, team="T2"), None),
        (replace(OURS, app="A2"), None),
        (replace(TURN, bot_user="UOTHER"), None),
        (replace(OURS, bot_user="UOTHER"), Identity("", "UBOT", "T1")),
        (replace(OURS, team="T2", organization="E1"), GRID),  # installed in one of its workspaces only
        (replace(OURS, organization="E2"), ORG_WIDE),
    ],
)
def test_a_turn_of_another_app_or_team_runs_no_agent_and_shows_nowhere(
    turn: Turn, us: Identity | None
) -> None:
    stage = Stage()
    assert asked(stage, turn, us) == (Verdict.NOT_FOR_US, 0)
    assert stage.chat.calls == []


@pytest.mark.parametrize(
    ("turn", "us"),
    [
        (OURS, None),
        (TURN, None),  # from a receiver that did not say for which app
        (replace(TURN, bot_user=""), None),
        (OURS, GRID),
        (replace(OURS, team="T7", organization="E1"), ORG_WIDE),
        (replace(OURS, bot_user="UGUESSED"), None),  # the app's id counts where both are known
    ],
)
def test_a_turn_of_our_own_is_answered(turn: Turn, us: Identity | None) -> None:
    assert asked(Stage(), turn, us) == (Verdict.ANSWERED, 1)


def test_the_log_says_whose_the_event_was_and_who_we_are() -> None:
    stage = Stage()
    outcome = take(stage, turn=replace(OURS, app="A2", team="T2"))
    assert outcome.detail == (
        "the event is for app A2, bot UBOT, team T2; the token is of app A1, bot UBOT, team T1"
    )


def test_no_agent_is_asked_before_slack_has_said_who_the_bot_is() -> None:
    stage = Stage()
    stage.chat.trouble["identity"] = [ChatUnavailable("503")] * 100
    assert asked(stage, OURS) == (Verdict.OWED, 0)
    assert stage.chat.texts() == []
    stage.chat.trouble.clear()
    assert asked(stage, OURS) == (Verdict.ANSWERED, 1)


def test_no_agent_is_asked_with_a_token_that_slack_refuses() -> None:
    stage = Stage()
    stage.chat.trouble["identity"] = [ChatRefused("invalid_auth")]
    assert asked(stage, OURS) == (Verdict.REFUSED_BY_SLACK, 0)
    assert stage.record.state is State.RECEIVED


# --- what Slack says ---


def test_slack_is_asked_once_who_the_bot_is(slack: SlackService, chat: SlackChat) -> None:
    bot = slack.installation.bot
    assert [chat.identity() for _ in range(3)] == [Identity(str(bot.app_id), bot.id, seed.TEAM.id)] * 3
    assert [call.method for call in slack.web_api.calls] == ["auth.test", "bots.info"]


def test_slack_is_asked_again_after_an_error(slack: SlackService, chat: SlackChat) -> None:
    slack.faults.add(Fault("auth.test", status=503))
    with pytest.raises(ChatUnavailable):
        chat.identity()
    assert chat.identity().team == seed.TEAM.id


def test_slack_is_asked_again_with_another_token(
    aws: Aws, slack: SlackService, chat: SlackChat, bot_token: str, clock: FakeClock
) -> None:
    chat.identity()
    aws.secrets.put_secret_value(SecretId=bot_token, SecretString="xoxb-new")
    slack.installation.bot_token = "xoxb-new"
    clock.sleep(300)
    chat.identity()
    assert [call.method for call in slack.web_api.calls].count("auth.test") == 2


def test_without_the_scope_to_look_up_bots_the_bot_user_stands_for_the_app(
    slack: SlackService, chat: SlackChat
) -> None:
    slack.installation.scopes.discard("users:read")
    assert chat.identity() == Identity("", slack.installation.bot.id, seed.TEAM.id)


def test_two_python_threads_ask_slack_once(slack: SlackService, chat: SlackChat) -> None:
    slack.faults.add(Fault("auth.test", delay_seconds=0.2))
    threads = [threading.Thread(target=chat.identity) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [call.method for call in slack.web_api.calls] == ["auth.test", "bots.info"]
