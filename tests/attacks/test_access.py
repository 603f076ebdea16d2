"""Who may ask: guests, strangers, closed accounts, and whoever the operator's rules keep out."""

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.wrappers import Response

from functions.adapters.slack.chat import SlackChat
from functions.bridge import wording
from functions.bridge.admission.access import OPEN, Access, AccessRules, Reason, SharedChannels
from functions.bridge.agents.events import Failed
from functions.bridge.agents.failures import Failure
from functions.bridge.ledger.record import State
from functions.bridge.people import KNOWN_SECONDS, Home, Person
from functions.bridge.replies.chat import ChatAppRefused, ChatRateLimited, ChatRefused, ChatUnavailable
from functions.bridge.turn import Notice, Turn, from_json, to_json
from functions.bridge.turns.outcome import Outcome, Verdict
from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.attacks.test_senders import Token, told
from tests.functions.adapters.scripted_server import standing_in_for
from tests.functions.adapters.slack.test_chat import chat as chat
from tests.functions.adapters.slack.test_chat import clock as clock
from tests.functions.bridge.asking import AGAIN, SUNNY, Killed, take
from tests.functions.bridge.incoming.test_events import MENTION, turn_of
from tests.functions.fakes import TURN, ScriptedAgent, Stage

COLLEAGUE = Person(Home("T1"), "alice")
GUEST = replace(COLLEAGUE, is_guest=True)
STRANGER = Person(Home("T2"), "erin", is_stranger=True)
DIRECT = replace(TURN, channel="D1")
SHARED = replace(TURN, in_shared_channel=True)


class Asked:
    """A question of somebody whom Slack has not told of on this day."""

    def __init__(self, person: Person = COLLEAGUE) -> None:
        self.stage = Stage()
        self.stage.slots.people.clear()
        self.stage.chat.people["U1"] = person
        self.agent = ScriptedAgent(self.stage.clock, SUNNY)

    def by(self, turn: Turn = TURN, **rules: Any) -> Outcome:
        access = Access(AccessRules(**rules))
        return take(self.stage, turn=turn, agent=self.agent, access=access)

    @property
    def calls(self) -> list[str]:
        return [name for name, _ in self.stage.chat.calls]


def check_refused(asked: Asked, outcome: Outcome, reason: Reason) -> None:
    """The asker alone was told; no agent ran, and nothing else was posted."""
    assert (outcome.verdict, outcome.refusal) == (Verdict.REFUSED, reason)
    assert asked.agent.questions == []
    assert told(asked.stage) == [wording.refusal(reason)]
    assert {*asked.calls} <= {"post_ephemeral", "person"}
    assert asked.stage.record.state is State.ANSWERED
    assert asked.stage.slots.holders() == set()


# --- by what Slack has signed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "rules", "reason"),
    [
        (TURN, {"channels": ("C2",)}, Reason.CHANNEL),
        (TURN, {"channels": ("dm",)}, Reason.CHANNEL),
        (TURN, {"users": ("U2",)}, Reason.NOT_LISTED),
        (TURN, {"deny_users": ("U1",)}, Reason.DENIED),
        (TURN, {"users": ("U1",), "deny_users": ("U1",)}, Reason.DENIED),
        (SHARED, {}, Reason.SHARED_CHANNEL),
    ],
)
def test_the_signed_event_suffices_to_refuse(turn: Turn, rules: dict[str, Any], reason: Reason) -> None:
    asked = Asked()
    check_refused(asked, asked.by(turn, **rules), reason)
    assert asked.calls == ["post_ephemeral"]


@pytest.mark.parametrize(
    ("turn", "rules"),
    [
        (TURN, {}),
        (TURN, {"channels": ("C1",), "users": ("U1", "U2"), "deny_users": ("U2",)}),
        (TURN, {"direct_messages": False}),
        (DIRECT, {"channels": ("dm",)}),
        (SHARED, {"shared_channels": SharedChannels.ANSWER}),
    ],
)
def test_a_colleague_whom_no_rule_keeps_out_is_answered(turn: Turn, rules: dict[str, Any]) -> None:
    assert Asked().by(turn, **rules).verdict is Verdict.ANSWERED


def test_in_a_direct_message_the_refusal_is_a_plain_message() -> None:
    for rules, reason in (
        ({"direct_messages": False}, Reason.DIRECT_MESSAGE),
        ({"channels": ("C1",)}, Reason.CHANNEL),
    ):
        asked = Asked()
        outcome = asked.by(DIRECT, **rules)
        assert (outcome.verdict, outcome.refusal) == (Verdict.REFUSED, reason)
        assert asked.stage.chat.texts() == [wording.refusal(reason)]
        assert (asked.agent.questions, told(asked.stage)) == ([], [])


def test_a_turn_knows_whether_partners_read_its_channel() -> None:
    turn = turn_of(MENTION, is_ext_shared_channel=True)
    assert turn.in_shared_channel
    assert from_json(to_json(turn)) == turn
    assert not turn_of(MENTION, is_ext_shared_channel=False).in_shared_channel


def test_a_message_of_the_version_before_says_nothing_of_its_channel() -> None:
    fields = json.loads(to_json(TURN))
    del fields["in_shared_channel"]
    assert not from_json(json.dumps(fields)).in_shared_channel


# --- by what users.info says --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (GUEST, Reason.GUEST),
        (STRANGER, Reason.FOREIGN),
        (replace(COLLEAGUE, is_deactivated=True), Reason.DEACTIVATED),
        (replace(COLLEAGUE, is_bot=True), Reason.BOT),
    ],
)
def test_guests_strangers_closed_accounts_and_bots_are_refused(person: Person, reason: Reason) -> None:
    asked = Asked(person)
    check_refused(asked, asked.by(), reason)
    assert asked.calls == ["person", "post_ephemeral"]


def test_guests_are_answered_where_the_operator_lets_them_in() -> None:
    assert Asked(GUEST).by(guests=True).verdict is Verdict.ANSWERED


def test_a_stranger_is_no_guest() -> None:
    asked = Asked(STRANGER)
    outcome = asked.by(replace(TURN, sender_unknown=True), guests=True)
    check_refused(asked, outcome, Reason.FOREIGN)


def test_slack_is_not_asked_where_no_rule_needs_it() -> None:
    asked = Asked()
    asked.by(guests=True)
    assert "person" not in asked.calls


def test_slack_is_asked_for_somebodys_first_question_of_the_day_only() -> None:
    asked = Asked()
    for number in range(4):
        asked.by(replace(TURN, ts=f"1700000000.00010{number}"))
        asked.stage.clock.sleep(KNOWN_SECONDS / 3)
    assert asked.calls.count("person") == 2
    assert "name_of" not in asked.calls  # users.info says that too
    assert {question.asker.name for question in asked.agent.questions} == {"alice"}


def test_a_guest_of_yesterday_may_be_a_colleague_today() -> None:
    asked = Asked(GUEST)
    assert asked.by().refusal is Reason.GUEST
    asked.stage.chat.people["U1"] = COLLEAGUE
    second, third = (replace(TURN, ts=f"1700000000.00020{number}") for number in (1, 2))
    assert asked.by(second).refusal is Reason.GUEST
    asked.stage.clock.sleep(KNOWN_SECONDS)
    assert asked.by(third).verdict is Verdict.ANSWERED


def test_a_person_whom_slack_does_not_describe_is_refused() -> None:
    asked = Asked()
    asked.stage.chat.trouble["person"] = [ChatRefused("user_not_found")]
    outcome = asked.by()
    check_refused(asked, outcome, Reason.UNKNOWN)
    assert "user_not_found" in outcome.detail


def test_without_the_scope_to_look_people_up_the_question_waits_and_the_operator_is_told() -> None:
    asked = Asked()
    asked.stage.chat.trouble["person"] = [ChatAppRefused("missing_scope", "give it users:read")]
    outcome = asked.by()
    assert (outcome.verdict, outcome.app_refusal) == (Verdict.APP_REFUSED, "missing_scope")
    assert (asked.agent.questions, asked.stage.chat.texts()) == ([], [])
    assert asked.by().verdict is Verdict.ANSWERED


@pytest.mark.parametrize("trouble", [ChatUnavailable("503"), ChatRateLimited(3)])
def test_temporary_errors_of_users_info_are_retried(trouble: Exception) -> None:
    asked = Asked(GUEST)
    asked.stage.chat.trouble["person"] = [trouble, trouble]
    check_refused(asked, asked.by(), Reason.GUEST)


def test_no_agent_is_asked_while_users_info_fails() -> None:
    asked = Asked()
    asked.stage.chat.trouble["person"] = [ChatUnavailable("503")] * 100
    assert asked.by().verdict is Verdict.OWED
    assert asked.agent.questions == []


def test_users_info_describes_guests_strangers_bots_and_closed_accounts(
    slack: SlackService, chat: SlackChat
) -> None:
    assert not chat.person(seed.ALICE.id).is_guest
    slack.workspace.users["U0SOLO"] = replace(seed.BOB, id="U0SOLO", is_ultra_restricted=True)
    for guest in (seed.GWEN.id, "U0SOLO"):
        assert chat.person(guest).is_guest
        assert not chat.person(guest).is_stranger
    assert chat.person(seed.ERIN.id).is_stranger
    slack.workspace.users["U0GONE"] = replace(seed.BOB, id="U0GONE", is_deactivated=True)
    assert chat.person("U0GONE").is_deactivated
    assert chat.person(slack.installation.bot.id).is_bot


def test_without_the_scope_slack_refuses_the_app(slack: SlackService, chat: SlackChat) -> None:
    slack.installation.scopes.discard("users:read")
    with pytest.raises(ChatAppRefused, match="missing_scope"):
        chat.person(seed.ALICE.id)
    with pytest.raises(ChatRefused, match="missing_scope"):
        chat.name_of(seed.ALICE.id)


@pytest.mark.parametrize("wrong", [{"is_restricted": "no"}, {"deleted": None}, {"profile": None}])
def test_a_malformed_field_of_users_info_makes_nobody_a_guest(wrong: dict[str, Any]) -> None:
    with standing_in_for("UNUSED") as server:
        user = {"id": "U1", "team_id": "T1", "profile": {}, **wrong}
        server.answer = Response(json.dumps({"ok": True, "user": user}), content_type="application/json")
        assert SlackChat(Token(), api_url=f"{server.url}/api/").person("U1") == Person(Home("T1"), "U1")


# --- one agent's rules --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bridge", "agent", "reason"),
    [
        ({"guests": True}, {"deny_users": ("U1",)}, Reason.DENIED),
        ({"guests": True}, {"users": ("U2",)}, Reason.NOT_LISTED),
        ({"guests": True}, {"guests": False}, Reason.GUEST),
        ({}, {"guests": True}, Reason.GUEST),
        ({"deny_users": ("U1",)}, {"users": ("U1",)}, Reason.DENIED),
        ({"guests": True}, {}, None),
    ],
)
def test_both_the_bridge_and_the_agent_must_let_somebody_in(
    bridge: dict[str, Any], agent: dict[str, Any], reason: Reason | None
) -> None:
    asked = Asked(GUEST)
    access = Access(AccessRules(**bridge), {"default": replace(OPEN, **agent)})
    outcome = take(asked.stage, agent=asked.agent, access=access)
    assert outcome.refusal == reason
    assert len(asked.agent.questions) == (reason is None)


# --- at other doors -----------------------------------------------------------------------------------------


def test_help_is_for_those_who_may_ask() -> None:
    asked = Asked(GUEST)
    check_refused(asked, asked.by(replace(TURN, text="help")), Reason.GUEST)


@pytest.mark.parametrize("notice", [Notice.EMPTY, Notice.TOO_LONG])
def test_a_mention_without_text_gets_no_help_where_nobody_may_ask(notice: Notice) -> None:
    asked = Asked()
    check_refused(asked, asked.by(replace(TURN, text="", notice=notice), channels=("C2",)), Reason.CHANNEL)


def test_whoever_lost_a_question_is_told_so() -> None:
    asked = Asked()
    outcome = asked.by(replace(TURN, text="", notice=Notice.UNREADABLE), deny_users=("U1",))
    assert outcome.verdict is Verdict.ANSWERED
    assert TURN.reference in asked.stage.chat.texts()[0]


def test_retry_passes_the_same_door() -> None:
    asked = Asked()
    asked.agent = ScriptedAgent(asked.stage.clock, [Failed(Failure.CUT_OFF, "cut")])
    assert asked.by().verdict is Verdict.INTERRUPTED
    outcome = asked.by(AGAIN, deny_users=("U1",))
    assert (outcome.verdict, outcome.refusal) == (Verdict.REFUSED, Reason.DENIED)
    assert len(asked.agent.questions) == 1
    [part] = asked.stage.chat.messages.values()
    assert (part.markdown, part.buttons) == (wording.refusal(Reason.DENIED), ())


@pytest.mark.parametrize("method", ["post_ephemeral", "settle"])
def test_a_refusal_that_a_crash_cut_off_is_told_by_the_next_worker(method: str) -> None:
    asked = Asked(GUEST)
    trouble: Any = asked.stage.chat.trouble if method == "post_ephemeral" else asked.stage.ledger.trouble
    trouble[method] = [Killed()]
    with pytest.raises(Killed):
        asked.by()
    asked.stage.clock.sleep(61)
    assert asked.by().refusal is Reason.GUEST
    assert asked.stage.record.state is State.ANSWERED


@pytest.mark.parametrize("code", ["user_not_in_channel", "channel_not_found", "is_archived"])
def test_a_person_who_cannot_be_told_is_refused_too(code: str) -> None:
    asked = Asked(GUEST)
    asked.stage.chat.trouble["post_ephemeral"] = [ChatRefused(code)]
    outcome = asked.by()
    assert (outcome.verdict, outcome.refusal) == (Verdict.REFUSED, Reason.GUEST)
    assert code in outcome.detail
    assert asked.agent.questions == []


def test_the_refusals_name_no_rule_and_nobody() -> None:
    for reason in {*Reason} - {Reason.TOO_MANY, Reason.TOO_MANY_WAITING}:
        words = wording.refusal(reason)
        assert not any(word in words for word in ("U1", "C1", "access", "users", "list"))
