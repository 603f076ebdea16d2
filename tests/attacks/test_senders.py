"""Who counts as one of our people: Enterprise Grid, Slack Connect, and posts that no person wrote."""

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.wrappers import Response

from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.slack.chat import SlackChat
from functions.bridge import wording
from functions.bridge.admission.access import Reason
from functions.bridge.incoming.events import Ignored
from functions.bridge.people import Home, Identity, Person
from functions.bridge.replies.chat import ChatRefused, ChatUnavailable
from functions.bridge.turn import Notice, from_json, to_json
from functions.bridge.turns.outcome import Verdict
from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.functions.adapters.scripted_server import standing_in_for
from tests.functions.adapters.slack.test_chat import chat as chat
from tests.functions.adapters.slack.test_chat import clock as clock
from tests.functions.bridge.asking import SUNNY, take
from tests.functions.bridge.incoming.test_events import DIRECT, MENTION, received, turn_of
from tests.functions.fakes import TURN, ScriptedAgent, Stage

GRID = {"authorizations": [{"enterprise_id": "E1", "team_id": "T1", "user_id": "UBOT", "is_bot": True}]}
ORG_WIDE = {
    "authorizations": [
        {"enterprise_id": "E1", "team_id": None, "user_id": "UBOT", "is_enterprise_install": True}
    ]
}
WITHOUT_TEAM = {key: value for key, value in MENTION.items() if key != "team"}
SHARED, UNSHARED, UNSAID = (
    {"is_ext_shared_channel": True},
    {"is_ext_shared_channel": False},
    {"is_ext_shared_channel": None},
)
WORDS = wording.notice_text(Notice.EXTERNAL, reference=TURN.reference)


@pytest.mark.parametrize(
    ("event", "around"),
    [
        ({**MENTION, "user_team": "E2"}, GRID | UNSAID),
        ({**MENTION, "user_team": "E2"}, GRID | SHARED),
        ({**MENTION, "user_team": "E2"}, GRID | UNSHARED),
        ({**MENTION, "user_team": "T2"}, UNSAID),
        # The envelope's own team and organization may be the sender's.
        ({**MENTION, "user_team": "E2"}, SHARED | {"team_id": "T2", "enterprise_id": "E2"}),
        ({**MENTION, "user_team": "E2"}, ORG_WIDE | SHARED | {"team_id": "T2", "enterprise_id": "E2"}),
        ({**WITHOUT_TEAM, "user_profile": {"team": "T2"}}, SHARED),
    ],
)
def test_the_event_itself_says_that_a_stranger_asks(event: dict[str, Any], around: dict[str, Any]) -> None:
    turn = turn_of(event, **around)
    assert (turn.notice, turn.text) == (Notice.EXTERNAL, "")


@pytest.mark.parametrize(
    ("event", "around"),
    [
        ({**MENTION, "team": "T2"}, GRID | UNSAID),
        ({**MENTION, "team": "T2"}, GRID | SHARED),
        ({**MENTION, "user_team": "T2"}, ORG_WIDE | SHARED | {"team_id": "T2"}),
        (WITHOUT_TEAM, SHARED),
        (WITHOUT_TEAM, UNSAID),
        ({**WITHOUT_TEAM, "files": [{"id": "F1"}]}, GRID | SHARED),
    ],
)
def test_where_the_event_does_not_say_who_asks_slack_is_to_be_asked(
    event: dict[str, Any], around: dict[str, Any]
) -> None:
    turn = turn_of(event, **around)
    assert (turn.notice, turn.sender_unknown) == (None, True)
    assert from_json(to_json(turn)) == turn


@pytest.mark.parametrize(
    ("event", "around"),
    [
        (MENTION, UNSAID),
        ({**MENTION, "team": "T2", "user_team": "E1"}, GRID | SHARED),
        ({**MENTION, "team": "T2"}, GRID | UNSHARED),
        ({**MENTION, "team": "T2"}, ORG_WIDE | UNSHARED),
        (WITHOUT_TEAM, UNSHARED),
        (DIRECT, UNSHARED),
    ],
)
def test_colleagues_are_known_without_a_call(event: dict[str, Any], around: dict[str, Any]) -> None:
    turn = turn_of(event, **around)
    assert (turn.notice, turn.sender_unknown) == (None, False)


@pytest.mark.parametrize(
    "more",
    [
        {"user": "USLACKBOT"},
        {"app_id": "A2"},
        {"bot_profile": {"app_id": "A2"}},
        {"bot_id": "B2", "app_id": "A2", "bot_profile": {"id": "B2"}},
    ],
)
@pytest.mark.parametrize("event", [MENTION, DIRECT])
def test_what_slackbot_or_an_app_with_a_persons_token_posts_asks_nobody(
    event: dict[str, Any], more: dict[str, Any]
) -> None:
    assert received({**event, **more}) == Ignored("from_a_bot")


def asked_by(stage: Stage, home: Home, us: Identity | None = None) -> tuple[list[str], int, Verdict]:
    """What the thread says and how often the agent ran, when somebody unknown with this home asks."""
    agent = ScriptedAgent(stage.clock, SUNNY)
    stage.slots.people.clear()
    stage.chat.people["U1"] = Person(home)
    stage.chat.us = us or stage.chat.us
    outcome = take(stage, turn=replace(TURN, sender_unknown=True), agent=agent)
    return stage.chat.texts(), len(agent.runs), outcome.verdict


def told(stage: Stage) -> list[str]:
    """What the asker alone was told."""
    start = f"{TURN.channel}:{TURN.thread_ts} {TURN.user} "
    return [said.removeprefix(start) for said in stage.chat.history("post_ephemeral")]


@pytest.mark.parametrize(
    ("home", "us"),
    [
        (Home("T2"), None),
        (Home(""), None),
        (Home("T2", "E2"), Identity("A1", "UBOT", "T1", "E1")),
        (Home("T2", ""), Identity("A1", "UBOT", "T1", "")),
    ],
)
def test_a_stranger_by_users_info_is_refused_without_an_agent_or_placeholder(
    home: Home, us: Identity | None
) -> None:
    stage = Stage()
    assert asked_by(stage, home, us) == ([], 0, Verdict.REFUSED)
    assert told(stage) == [WORDS]
    assert stage.chat.history("post") == []


@pytest.mark.parametrize(
    ("home", "us"),
    [
        (Home("T1"), None),
        (Home("T1", "E1"), Identity("A1", "UBOT", "T1", "E1")),
        (Home("T2", "E1"), Identity("A1", "UBOT", "T1", "E1")),
    ],
)
def test_a_colleague_by_users_info_is_answered(home: Home, us: Identity | None) -> None:
    assert asked_by(Stage(), home, us) == (["It is sunny."], 1, Verdict.ANSWERED)


def test_a_person_whom_slack_does_not_describe_is_refused() -> None:
    stage = Stage()
    stage.chat.trouble["person"] = [ChatRefused("user_not_found")]
    assert asked_by(stage, Home("T1")) == ([], 0, Verdict.REFUSED)
    assert told(stage) == [wording.refusal(Reason.UNKNOWN)]


def test_no_agent_is_asked_while_slack_does_not_answer_who_it_is() -> None:
    stage = Stage()
    stage.chat.trouble["person"] = [ChatUnavailable("503")] * 100
    assert asked_by(stage, Home("T1")) == ([], 0, Verdict.OWED)
    stage.chat.trouble.clear()
    assert asked_by(stage, Home("T1")) == (["It is sunny."], 1, Verdict.ANSWERED)


def test_users_info_tells_the_home_of_a_person(slack: SlackService, chat: SlackChat) -> None:
    assert chat.person(seed.ALICE.id) == Person(Home(seed.TEAM.id), "alice")
    assert chat.person(seed.ERIN.id) == Person(Home(seed.OTHER_TEAM.id), "erin", is_stranger=True)
    assert chat.name_of(seed.ALICE.id) == "alice"
    assert [call.method for call in slack.web_api.calls] == ["users.info"] * 2


@pytest.mark.parametrize(
    ("more", "home"),
    [
        ({"enterprise_user": {"enterprise_id": "E1", "teams": ["T1", "T2"]}}, Home("T2", "E1")),
        ({"enterprise_user": None}, Home("T2")),
        ({"enterprise_user": {"enterprise_id": 1}, "team_id": None}, Home("")),
    ],
)
def test_users_info_tells_the_organization_of_a_person(more: dict[str, Any], home: Home) -> None:
    with standing_in_for("UNUSED") as server:
        user = {"id": "W2", "team_id": "T2", "profile": {}, **more}
        server.answer = Response(json.dumps({"ok": True, "user": user}), content_type="application/json")
        assert SlackChat(Token(), api_url=f"{server.url}/api/").person("W2").home == home


class Token(CachedSecret):
    def __init__(self) -> None:
        pass

    def value(self) -> str:
        return "xoxb-1"
