"""An agent asks before it acts: the turn waits, somebody decides, and the agent is told exactly that."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import Access, AccessRules
from functions.bridge.admission.approvers import ApproverRule, Approvers
from functions.bridge.agents.events import Failed, Finished, TextDelta, ToolRequest, ToolUse, Usage, Wanted
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.tools import Tool, ToolCall, ToolResult
from functions.bridge.delivery import FIRST_BACK_OFF
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.pauses import Decided, Decision, Pause
from functions.bridge.ledger.record import State
from functions.bridge.people import Home, Person
from functions.bridge.queue_commands import Decide, StopThread, StopTurn
from functions.bridge.replies.chat import ChatAppRefused, ChatRefused, ChatStopped, ChatUnavailable, Message
from functions.bridge.replies.options import ReplyOptions, Style
from functions.bridge.turns.approvals import ApprovalRules
from functions.bridge.turns.handle import control, drop, handle
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import AGAIN, Killed, answering, kill, surrender, take
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step, command_of, next_attempt, when_waited_for

MAIL = ToolRequest("call-1", "send_email", '{"to": "ann@example.com", "api_key": "s3cret"}', Wanted.CONSENT)
LOOK_UP = ToolRequest("call-2", "look_up", '{"name": "Ann"}', Wanted.RESULT)
RETURNS = Failed(Failure.RETURN_OF_CONTROL, "the stream ended with tool_use")
ASKS: list[Step] = [TextDelta("I will write to Ann."), MAIL, RETURNS]
SENT: list[Step] = [TextDelta("I wrote to Ann."), Finished()]
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:look-up"
RULES = ApprovalRules()
ANYONE = ApprovalRules(Approvers(ApproverRule.ANYONE))
STYLES = [ReplyOptions(style=Style.EDIT), ReplyOptions(style=Style.STREAM)]


def agent_of(stage: Stage, *scripts: list[Step]) -> ScriptedAgent:
    return ScriptedAgent(stage.clock, *(scripts or (ASKS, SENT)))


def begin(
    stage: Stage,
    agent: ScriptedAgent,
    rules: ApprovalRules = RULES,
    options: ReplyOptions = STYLES[0],
) -> Outcome:
    return take(stage, agent=agent, approvals=rules, options=options)


def deliver(
    stage: Stage,
    agent: ScriptedAgent,
    rules: ApprovalRules = RULES,
    options: ReplyOptions = STYLES[0],
) -> Outcome:
    """The message of the waiting turn comes once more."""
    delivery = replace(stage.delivery(), receive_count=2)
    work = answering(stage, agent, options, approvals=rules)
    return handle(command_of(TURN), delivery, stage.ports, work)


def pressed(stage: Stage, *, user: str = "U1", approve: bool = True, reason: str = "") -> Decide:
    """A press right now."""
    pause = stage.record.pause
    assert pause is not None
    ts = f"{stage.clock.now():.6f}"
    return Decide(
        "T1", "C1", TURN.ts, TURN.thread_ts, stage.record.reply[-1], user, 1, pause.id, approve, ts, reason
    )


def press(stage: Stage, command: Decide | StopThread | StopTurn, access: Access | None = None) -> Outcome:
    return control(command, stage.delivery(50.0), stage.ports, access or Access())


def told(agent: ScriptedAgent) -> list[tuple[bool, str, str | None]]:
    """What the agent was told, one decision after the other."""
    return [(one.is_approved, one.reason, one.result) for _, answers in agent.answers for one in answers]


@pytest.fixture(autouse=True)
def people(stage: Stage) -> None:
    for user in ("U1", "U2"):
        stage.chat.people[user] = Person(Home("T1"), user)


# --- waiting ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", STYLES)
def test_a_turn_waits_whose_agent_asks(stage: Stage, options: ReplyOptions) -> None:
    outcome = begin(stage, agent_of(stage), options=options)
    assert (outcome.verdict, outcome.is_kept, outcome.failure) == (Verdict.AWAITING_APPROVAL, True, None)
    assert (stage.record.state, stage.record.base) == (State.WAITING, 1)
    said, card = stage.chat.texts()
    assert said == f"I will write to Ann.\n\n{wording.NEEDS_APPROVAL}"
    assert card.startswith(":raised_hand: **Send email**")
    assert "<@U1> may decide" in card
    assert "15 minutes" in card
    assert stage.chat.session == "suspended"


def test_the_message_of_a_waiting_turn_is_hidden_until_that_expires(stage: Stage) -> None:
    begin(stage, agent_of(stage), ApprovalRules(seconds=1200))
    assert stage.record.pause is not None
    assert stage.message.hidden[-1] == stage.record.pause.until - stage.clock.now()
    assert stage.ledger.receipts[TURN.turn_id] == stage.message.receipt
    assert stage.ledger.leases[TURN.turn_id] == 0


def test_a_card_is_no_answer_of_the_agents(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    assert [message.is_notice for message in stage.chat.messages.values()] == [False, True]
    press(stage, pressed(stage))
    deliver(stage, agent)
    assert [message.is_notice for message in stage.chat.messages.values()] == [False, True, False]


def test_a_card_shows_the_arguments_and_no_secret(stage: Stage) -> None:
    begin(stage, agent_of(stage))
    card = stage.chat.messages[stage.record.reply[-1]]
    assert card.details == ("to: ann@example.com\napi_key: ••••••",)
    assert [button.label for button in card.buttons] == ["Approve", "Deny", "Stop"]


def test_an_agent_that_says_nothing_still_asks_in_a_message_of_its_own(stage: Stage) -> None:
    begin(stage, agent_of(stage, [MAIL, RETURNS]))
    assert len(stage.chat.texts()) == 2
    assert stage.chat.texts()[0] == wording.NEEDS_APPROVAL


def test_an_agent_that_wants_a_result_of_no_known_tool_is_told_of_as_ever(stage: Stage) -> None:
    outcome = begin(stage, agent_of(stage, [LOOK_UP, RETURNS]))
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.RETURN_OF_CONTROL)
    assert "“Look up”" in stage.chat.texts()[0]


def test_nobody_is_asked_to_approve_what_is_too_long_to_be_read(stage: Stage) -> None:
    long = replace(MAIL, arguments=f'{{"body": "{"word " * 3000}"}}')
    assert begin(stage, agent_of(stage, [long, RETURNS])).verdict is Verdict.INTERRUPTED
    assert "asked to use “Send email” with more than can be shown for approval" in stage.chat.texts()[0]


def test_nobody_is_asked_to_approve_what_the_ledger_cannot_keep(stage: Stage) -> None:
    secret = replace(MAIL, arguments=f'{{"to": "ann", "token": "{"x" * 400_000}"}}')  # it is masked on a card
    outcome = begin(stage, agent_of(stage, [secret, RETURNS]))
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.RETURN_OF_CONTROL)
    longest = replace(MAIL, arguments=json.dumps({"body": "\U0001f600" * 9_000}))
    assert take(stage, agent=agent_of(stage, [longest, RETURNS]), turn=next_attempt(TURN)).is_kept


# --- deciding and going on ----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", STYLES)
def test_an_approved_agent_goes_on_below_the_card(stage: Stage, options: ReplyOptions) -> None:
    agent = agent_of(stage)
    begin(stage, agent, options=options)
    assert press(stage, pressed(stage)).verdict is Verdict.DECIDED
    assert stage.kept.woken == [stage.message.receipt]
    outcome = deliver(stage, agent, options=options)
    assert (outcome.verdict, outcome.is_kept) == (Verdict.ANSWERED, False)
    said, card, answer = stage.chat.texts()
    assert said.startswith("I will write to Ann.")
    assert card.startswith(":white_check_mark: **Send email** was approved by <@U1> at ")
    assert answer == "I wrote to Ann."
    assert told(agent) == [(True, "", None)]
    assert stage.chat.session == "active"


def test_a_denied_agent_is_told_why(stage: Stage) -> None:
    agent = agent_of(stage, ASKS, [TextDelta("Then I will not."), Finished()])
    begin(stage, agent)
    press(stage, pressed(stage, approve=False, reason="Not today"))
    assert deliver(stage, agent).verdict is Verdict.ANSWERED
    assert told(agent) == [(False, "Not today", None)]
    assert "was denied by <@U1>" in stage.chat.texts()[1]
    assert "“Not today”" in stage.chat.texts()[1]


def test_what_was_asked_for_is_forgotten_once_the_agent_goes_on(stage: Stage) -> None:
    agent = agent_of(stage, ASKS, [kill])
    begin(stage, agent)
    press(stage, pressed(stage))
    with pytest.raises(Killed):
        deliver(stage, agent)
    assert (stage.record.state, stage.record.pause) == (State.STARTED, None)


def test_an_agent_may_ask_again(stage: Stage) -> None:
    agent = agent_of(stage, ASKS, [TextDelta("And now Bob."), MAIL, RETURNS], SENT)
    begin(stage, agent)
    press(stage, pressed(stage))
    assert deliver(stage, agent).verdict is Verdict.AWAITING_APPROVAL
    assert stage.record.base == 3
    press(stage, pressed(stage, approve=False))
    assert deliver(stage, agent).verdict is Verdict.ANSWERED
    assert told(agent) == [(True, "", None), (False, "", None)]
    assert len(stage.chat.texts()) == 5
    assert [text.split()[0] for text in stage.chat.texts()] == [
        *("I", ":white_check_mark:", "And", ":no_entry_sign:", "I")
    ]


def denied(stage: Stage, *scripts: list[Step], rules: ApprovalRules = RULES) -> tuple[Outcome, ScriptedAgent]:
    """The first request is denied; the scripts are what the agent does then."""
    agent = agent_of(stage, ASKS, *scripts)
    begin(stage, agent, rules)
    press(stage, pressed(stage, approve=False, reason="Not today"))
    return deliver(stage, agent, rules), agent


def test_nobody_is_asked_again_for_what_they_have_just_denied(stage: Stage) -> None:
    outcome, agent = denied(stage, ASKS, ASKS, [TextDelta("Then I will not."), Finished()])
    assert outcome.verdict is Verdict.ANSWERED
    again = wording.told_denied_again("Not today")
    assert "Not today" in again
    assert told(agent) == [(False, "Not today", None), (False, again, None), (False, again, None)]
    cards = [text for text in stage.chat.texts() if "Send email" in text]
    assert len(cards) == 1
    assert "asked once more for what was denied" in outcome.detail


def test_an_agent_that_tries_another_way_after_a_denial_asks_again(stage: Stage) -> None:
    other = replace(MAIL, arguments='{"to": "bob@example.com"}')
    outcome, _ = denied(stage, [TextDelta("And Bob?"), other, RETURNS], SENT)
    assert outcome.verdict is Verdict.AWAITING_APPROVAL


def test_an_agent_that_asks_for_more_than_was_denied_asks_again(stage: Stage) -> None:
    other = replace(MAIL, call_id="call-3", arguments='{"to": "bob@example.com"}')
    outcome, _ = denied(stage, [MAIL, other, RETURNS], SENT)
    assert outcome.verdict is Verdict.AWAITING_APPROVAL


def test_an_agent_that_asks_for_what_was_denied_for_ever_is_stopped(stage: Stage) -> None:
    outcome, agent = denied(stage, *[ASKS] * 30)
    assert outcome.failure is Failure.LIMIT
    assert not any(is_approved for is_approved, _, _ in told(agent))


def test_what_expired_may_be_asked_for_again(stage: Stage) -> None:
    agent = agent_of(stage, ASKS, ASKS, SENT)
    begin(stage, agent, ApprovalRules(seconds=60))
    stage.clock.sleep(61)
    assert deliver(stage, agent, ApprovalRules(seconds=60)).verdict is Verdict.AWAITING_APPROVAL


def test_each_part_of_a_turn_has_an_audit_record(stage: Stage) -> None:
    agent = agent_of(stage, ASKS, [ToolUse("mail_bob"), MAIL, RETURNS], SENT)
    begin(stage, agent)
    press(stage, pressed(stage))
    deliver(stage, agent)
    press(stage, pressed(stage))
    deliver(stage, agent)
    turns = [record for record in stage.audit.records if record["kind"] == "turn"]
    assert [record["verdict"] for record in turns] == ["awaiting_approval", "awaiting_approval", "answered"]
    assert [record["tool_uses"] for record in turns] == [0, 1, 0]
    assert [record["decided_by"] for record in turns] == ["", "U1", "U1"]


def test_who_approved_is_in_the_audit_log_though_control_was_killed(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    command = pressed(stage)
    edit = stage.chat.edit
    stage.chat.edit = lambda *_: kill()  # type: ignore[method-assign]  # the turn is awake by then
    with pytest.raises(Killed):
        press(stage, command)
    stage.chat.edit = edit  # type: ignore[method-assign]
    deliver(stage, agent)
    [*_, turn] = stage.audit.records
    assert (turn["kind"], turn["verdict"], turn["decided_by"]) == ("turn", "answered", "U1")


def test_each_part_of_a_turn_counts_the_tokens_of_its_own_runs(stage: Stage) -> None:
    agent = agent_of(stage, [Usage(1000, 20), *ASKS], [Usage(1300, 40), *SENT])
    assert begin(stage, agent).usage == Usage(1000, 20)
    press(stage, pressed(stage))
    assert deliver(stage, agent).usage == Usage(1300, 40)


def test_no_text_of_a_request_or_a_reason_is_in_what_is_logged(stage: Stage) -> None:
    asked = replace(MAIL, name="Shall I write to Ann?", message="Shall I, for Ann?")
    agent = agent_of(stage, [asked, RETURNS], SENT)
    begin(stage, agent)
    outcome = press(stage, pressed(stage, approve=False, reason="Ann is ill"))
    assert outcome.approval is not None
    assert outcome.approval.tools == ("?",)
    outcomes = [outcome, deliver(stage, agent)]
    assert "Ann" not in str([outcomes, stage.audit.records])


def test_a_decision_waits_until_slack_lets_the_app_in_again(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    press(stage, pressed(stage))
    stage.chat.trouble["name_of"] = [ChatAppRefused("account_inactive", "install it")]
    assert deliver(stage, agent).verdict is Verdict.APP_REFUSED
    del stage.chat.trouble["name_of"]
    assert deliver(stage, agent).verdict is Verdict.ANSWERED
    assert told(agent) == [(True, "", None)]


def test_a_tool_of_the_bridge_runs_after_its_approval(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION)})
    stage.tools.results[FUNCTION] = ToolResult("Ann, room 12")
    agent = agent_of(stage, [LOOK_UP, RETURNS], SENT)
    begin(stage, agent, rules)
    assert stage.tools.calls == []
    press(stage, pressed(stage))
    assert deliver(stage, agent, rules).verdict is Verdict.ANSWERED
    assert stage.tools.calls == [ToolCall(FUNCTION, "look_up", '{"name": "Ann"}', TURN, "U1")]
    assert told(agent) == [(True, "", "Ann, room 12")]


def test_a_denied_tool_does_not_run(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION)})
    agent = agent_of(stage, [LOOK_UP, RETURNS], SENT)
    begin(stage, agent, rules)
    press(stage, pressed(stage, approve=False))
    deliver(stage, agent, rules)
    assert (stage.tools.calls, told(agent)) == ([], [(False, "", None)])


def test_a_denial_counts_for_everything_on_the_card(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION, approve=False)})
    stage.tools.results[FUNCTION] = ToolResult("Ann, room 12")
    agent = agent_of(stage, [MAIL, LOOK_UP, RETURNS], SENT)
    begin(stage, agent, rules)
    press(stage, pressed(stage, approve=False))
    deliver(stage, agent, rules)
    assert (stage.tools.calls, told(agent)) == ([], [(False, "", None)] * 2)


@pytest.mark.parametrize("approve", [True, False])
def test_a_tool_that_was_taken_out_while_people_decided_does_not_run(stage: Stage, approve: bool) -> None:
    agent = agent_of(stage, [LOOK_UP, RETURNS], SENT)
    begin(stage, agent, ApprovalRules(tools={"look_up": Tool(FUNCTION)}))
    press(stage, pressed(stage, approve=approve))
    outcome = deliver(stage, agent)
    assert outcome.verdict is Verdict.ANSWERED
    assert told(agent) == [(True, "", wording.TOOL_NOT_STARTED) if approve else (False, "", None)]


def test_a_tool_that_needs_no_approval_runs_at_once(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION, approve=False)})
    stage.tools.results[FUNCTION] = ToolResult("no such person", has_failed=True)
    agent = agent_of(stage, [TextDelta("Let me see. "), LOOK_UP, RETURNS], SENT)
    assert begin(stage, agent, rules).verdict is Verdict.ANSWERED
    assert agent.answers[0][1][0].has_failed
    assert stage.chat.texts() == ["Let me see. I wrote to Ann."]


def test_the_tokens_of_an_agent_that_goes_on_at_once_are_added_up(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION, approve=False)})
    stage.tools.results[FUNCTION] = ToolResult("Ann Lee")
    agent = agent_of(stage, [Usage(1000, 20), LOOK_UP, RETURNS], [Usage(1300, 40), *SENT])
    assert begin(stage, agent, rules).usage == Usage(2300, 60)


def test_an_agent_that_asks_for_tools_for_ever_is_stopped(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION, approve=False)})
    stage.tools.results[FUNCTION] = ToolResult("again")
    outcome = begin(stage, agent_of(stage, [LOOK_UP, RETURNS]), rules)
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.LIMIT)
    assert "reached one of its own limits" in stage.chat.texts()[0]


def test_a_decision_can_be_the_result(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool()})
    agent = agent_of(stage, [LOOK_UP, RETURNS], SENT)
    begin(stage, agent, rules)
    press(stage, pressed(stage))
    deliver(stage, agent, rules)
    assert told(agent) == [(True, "", wording.TOLD_APPROVED)]


# --- presses that do not count ------------------------------------------------------------------------------


def test_only_the_asker_may_decide_unless_it_is_said_otherwise(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    assert press(stage, pressed(stage, user="U2")).verdict is Verdict.PRESS_REFUSED
    assert stage.chat.history("post_ephemeral") == [f"C1:{TURN.thread_ts} U2 {wording.MAY_NOT_DECIDE}"]
    assert stage.ledger.decisions == {}
    assert press(stage, pressed(stage)).verdict is Verdict.DECIDED


@pytest.mark.parametrize(
    ("approvers", "user", "may"),
    [
        (Approvers(ApproverRule.ANYONE), "U2", True),
        (Approvers(ApproverRule.NOT_ASKER), "U1", False),
        (Approvers(ApproverRule.NOT_ASKER), "U2", True),
        (Approvers(ApproverRule.LISTED, users=("U2",)), "U2", True),
        (Approvers(ApproverRule.LISTED, users=("U2",)), "U1", False),
        (Approvers(ApproverRule.LISTED, groups=("S1",)), "U2", True),
        (Approvers(ApproverRule.LISTED, groups=("S1",)), "U1", False),
    ],
)
def test_who_may_decide(stage: Stage, approvers: Approvers, user: str, may: bool) -> None:
    stage.groups.people["S1"] = {"U2"}
    begin(stage, agent_of(stage), ApprovalRules(approvers))
    verdict = press(stage, pressed(stage, user=user)).verdict
    assert verdict is (Verdict.DECIDED if may else Verdict.PRESS_REFUSED)


@pytest.mark.parametrize(
    "person",
    [
        Person(Home("T2"), "Eve", is_stranger=True),
        Person(Home("T1"), "Gus", is_guest=True),
        Person(Home("T1"), "Dan", is_deactivated=True),
        Person(Home("T1"), "Bot", is_bot=True),
    ],
)
def test_guests_and_people_from_outside_never_decide(stage: Stage, person: Person) -> None:
    stage.chat.people["U2"] = person
    begin(stage, agent_of(stage), ANYONE)
    assert press(stage, pressed(stage, user="U2")).verdict is Verdict.PRESS_REFUSED


def test_whom_slack_does_not_know_is_told_that_they_may_not_decide(stage: Stage) -> None:
    begin(stage, agent_of(stage), ANYONE)
    stage.chat.trouble["person"] = [ChatRefused("user_not_found")]
    outcome = press(stage, pressed(stage, user="U9"))
    assert (outcome.verdict, stage.ledger.decisions) == (Verdict.PRESS_REFUSED, {})
    assert stage.chat.history("post_ephemeral") == [f"C1:{TURN.thread_ts} U9 {wording.MAY_NOT_DECIDE}"]


def test_who_may_not_ask_may_not_decide_either(stage: Stage) -> None:
    begin(stage, agent_of(stage), ANYONE)
    access = Access(AccessRules(deny_users=("U2",)))
    assert press(stage, pressed(stage, user="U2"), access).verdict is Verdict.PRESS_REFUSED


def test_nobody_decides_while_slack_does_not_say_who_is_in_the_group(stage: Stage) -> None:
    begin(stage, agent_of(stage), ApprovalRules(Approvers(ApproverRule.LISTED, groups=("S1",))))
    outcome = press(stage, pressed(stage, user="U2"))
    assert outcome.verdict is Verdict.PRESS_REFUSED
    assert "Slack does not say who is in the user group S1" in outcome.detail
    # They may be in it.
    assert wording.UNKNOWN_WHETHER_THEY_MAY in stage.chat.history("post_ephemeral")[-1]


def test_the_first_of_two_people_decides(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent, ANYONE)
    first, second = pressed(stage), pressed(stage, user="U2", approve=False)
    assert first.deduplication_id != second.deduplication_id
    assert press(stage, first).verdict is Verdict.DECIDED
    assert press(stage, second).verdict is Verdict.PRESS_REFUSED
    assert "<@U1> was faster" in stage.chat.history("post_ephemeral")[-1]
    deliver(stage, agent, ANYONE)
    assert told(agent) == [(True, "", None)]
    assert "approved by <@U1>" in stage.chat.texts()[1]


def test_a_decision_that_is_delivered_twice_counts_once(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    command = pressed(stage)
    assert [press(stage, command).verdict for _ in range(2)] == [Verdict.DECIDED] * 2
    deliver(stage, agent)
    assert press(stage, command).verdict is Verdict.DECIDED
    assert stage.chat.history("post_ephemeral") == []
    assert told(agent) == [(True, "", None)]


def test_a_press_on_a_card_of_long_ago_is_told_so(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    command = pressed(stage)
    press(stage, command)
    deliver(stage, agent)
    late = replace(command, user="U2", action_ts=f"{stage.clock.now() + 5:.6f}")
    assert press(stage, late).verdict is Verdict.PRESS_REFUSED
    assert "<@U1> was faster: this is approved already" in stage.chat.history("post_ephemeral")[-1]


@pytest.mark.parametrize(("user", "words"), [("U1", []), ("U2", ["<@U1> was faster"])])
def test_a_press_during_which_the_turn_goes_on_is_known_as_well(
    stage: Stage, user: str, words: list[str]
) -> None:
    agent = agent_of(stage)
    begin(stage, agent, ANYONE)
    first = pressed(stage)
    press(stage, first)
    look_up = stage.chat.person

    def go_on_and_look_up(user: str) -> Person:
        deliver(stage, agent, ANYONE)
        return look_up(user)

    stage.chat.person = go_on_and_look_up  # type: ignore[method-assign]
    outcome = press(stage, replace(first, user=user))
    assert outcome.verdict is (Verdict.PRESS_REFUSED if words else Verdict.DECIDED)
    told_alone = stage.chat.history("post_ephemeral")
    assert len(told_alone) == len(words)
    assert all(word in said for word, said in zip(words, told_alone, strict=True))


def test_a_press_on_another_message_does_not_count(stage: Stage) -> None:
    begin(stage, agent_of(stage))
    command = replace(pressed(stage), message_ts=stage.record.reply[0])
    assert press(stage, command).verdict is Verdict.PRESS_REFUSED


def test_a_press_counts_before_the_card_is_on_record(stage: Stage) -> None:
    agent = agent_of(stage)
    verdicts: list[Verdict] = []

    def press_now() -> None:
        record = stage.record
        assert record.state is State.REPLYING
        assert record.pause is not None
        ts = f"{stage.clock.now():.6f}"
        command = Decide("T1", "C1", TURN.ts, TURN.thread_ts, "9.9", "U1", 1, record.pause.id, True, ts)
        verdicts.append(press(stage, command).verdict)

    set_session = stage.chat.set_session

    def set_and_press(turn: object, status: object) -> None:
        set_session(turn, status)  # type: ignore[arg-type]
        if status == "suspended":
            press_now()

    stage.chat.set_session = set_and_press  # type: ignore[method-assign]
    begin(stage, agent)
    assert verdicts == [Verdict.DECIDED]
    assert stage.message.hidden[-1] == 0  # it comes at once
    assert deliver(stage, agent).verdict is Verdict.ANSWERED


@pytest.mark.parametrize("trouble", [ServiceUnavailable("sqs"), ServiceUnavailable("again")])
def test_a_turn_that_could_not_be_woken_is_woken_later(stage: Stage, trouble: Exception) -> None:
    begin(stage, agent_of(stage))
    stage.kept.trouble.append(trouble)
    command = pressed(stage)
    outcome = press(stage, command)
    assert (outcome.verdict, outcome.retry_in_seconds is not None) == (Verdict.UNAVAILABLE, True)
    assert press(stage, command).verdict is Verdict.DECIDED
    assert stage.kept.woken == [stage.message.receipt]


def test_a_press_is_kept_while_slack_refuses_the_app(stage: Stage) -> None:
    begin(stage, agent_of(stage))
    command = pressed(stage)
    stage.chat.app_refusal = ChatAppRefused("token_revoked", "store another token")
    outcome = press(stage, command)
    assert (outcome.verdict, outcome.retry_in_seconds is not None) == (Verdict.APP_REFUSED, True)
    stage.chat.app_refusal = None
    assert press(stage, command).verdict is Verdict.DECIDED


def test_a_card_that_slack_does_not_edit_is_edited_by_the_worker(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    stage.chat.trouble["edit"] = [ChatUnavailable("503")]
    assert press(stage, pressed(stage)).verdict is Verdict.DECIDED
    assert stage.chat.texts()[1].startswith(":raised_hand:")
    deliver(stage, agent)
    assert stage.chat.texts()[1].startswith(":white_check_mark:")


def test_who_pressed_is_told_that_their_press_is_lost(stage: Stage) -> None:
    begin(stage, agent_of(stage))
    command = pressed(stage)
    assert drop(command, stage.delivery(), stage.ports) == Outcome(Verdict.DROPPED)
    assert stage.chat.history("post_ephemeral") == [f"C1:{TURN.thread_ts} U1 {wording.PRESS_LOST}"]
    assert [record["verdict"] for record in stage.audit.records if record["kind"] == "press"] == ["dropped"]
    assert press(stage, pressed(stage)).verdict is Verdict.DECIDED


@pytest.mark.parametrize("goes_on", [False, True])
def test_nobody_is_told_that_a_press_is_lost_which_counts(stage: Stage, goes_on: bool) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    command = pressed(stage)
    press(stage, command)
    if goes_on:
        deliver(stage, agent)
    assert drop(command, stage.delivery(), stage.ports).verdict is Verdict.DROPPED
    assert stage.chat.history("post_ephemeral") == []


def test_who_pressed_is_told_that_their_press_is_lost_as_soon_as_slack_answers(stage: Stage) -> None:
    begin(stage, agent_of(stage))
    command = pressed(stage)
    stage.chat.trouble["post_ephemeral"] = [ChatUnavailable("503")]
    assert drop(command, stage.delivery(), stage.ports).retry_in_seconds is not None
    assert [record for record in stage.audit.records if record["kind"] == "press"] == []
    assert drop(command, stage.delivery(), stage.ports) == Outcome(Verdict.DROPPED)


# --- waking early, expiry -----------------------------------------------------------------------------------


def test_a_turn_that_is_woken_for_nothing_waits_on(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    stage.clock.sleep(100)
    stage.message.receipt = "receipt-2"
    outcome = deliver(stage, agent)
    assert (outcome.verdict, outcome.is_kept) == (Verdict.AWAITING_APPROVAL, True)
    assert stage.ledger.receipts[TURN.turn_id] == "receipt-2"
    assert stage.record.pause is not None
    assert stage.message.hidden[-1] == stage.record.pause.until - stage.clock.now()
    assert agent.answers == []
    assert stage.record.tries == 0


def test_an_expired_request_is_denied(stage: Stage) -> None:
    agent = agent_of(stage, ASKS, [TextDelta("Then not."), Finished()])
    begin(stage, agent, ApprovalRules(seconds=300))
    stage.clock.sleep(300)
    outcome = deliver(stage, agent)
    assert outcome.verdict is Verdict.ANSWERED
    assert outcome.approval is not None
    assert outcome.approval.decided is Decided.EXPIRED
    assert told(agent) == [(False, wording.TOLD_EXPIRED, None)]
    assert stage.chat.texts()[1].startswith(":hourglass: **Send email** expired")


def test_an_agent_that_may_have_forgotten_is_not_told_of_an_expiry(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent, ApprovalRules(seconds=3600))
    stage.clock.sleep(3600)
    outcome = deliver(stage, agent)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.EXPIRED)
    assert agent.answers == []
    assert stage.ledger.sessions[TURN.thread_id, ""].began == TURN.ts
    assert len(stage.chat.texts()) == 3


def test_a_press_after_the_expiry_does_not_count(stage: Stage) -> None:
    begin(stage, agent_of(stage), ApprovalRules(seconds=300))
    stage.clock.sleep(301)
    assert press(stage, pressed(stage)).verdict is Verdict.PRESS_REFUSED
    assert stage.ledger.decisions == {}


def test_a_decision_that_came_just_before_the_expiry_counts(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent, ApprovalRules(seconds=300))
    command = pressed(stage)
    stage.clock.sleep(301)
    assert press(stage, command).verdict is Verdict.DECIDED
    deliver(stage, agent)
    assert told(agent) == [(True, "", None)]


# --- stop, dead letters, crashes ----------------------------------------------------------------------------


def slacks_stop(stage: Stage) -> StopThread:
    ts = f"{stage.clock.now() + 0.001:.6f}"
    return StopThread("T1", "C1", TURN.thread_ts, "U2", ts, (), sender_unknown=False)


def our_stop(stage: Stage) -> StopTurn:
    ts = f"{stage.clock.now() + 0.001:.6f}"
    card = stage.record.reply[-1]
    return StopTurn("T1", "C1", TURN.ts, TURN.thread_ts, card, "U2", 1, ts, sender_unknown=False)


@pytest.mark.parametrize("stop", [slacks_stop, our_stop])
def test_a_waiting_turn_can_be_stopped(stage: Stage, stop: Callable[[Stage], StopThread | StopTurn]) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    press(stage, stop(stage))
    assert stage.kept.woken == [stage.message.receipt]
    assert deliver(stage, agent).verdict is Verdict.STOPPED
    assert stage.chat.texts()[1].startswith("_Stopped by <@U2>")
    assert agent.answers == []
    # The agent still waits for an answer in its old session.
    assert stage.ledger.sessions[TURN.thread_id, ""].began == TURN.ts


@pytest.mark.parametrize("stop", [slacks_stop, our_stop])
def test_nobody_decides_about_a_turn_that_somebody_has_stopped(
    stage: Stage, stop: Callable[[Stage], StopThread | StopTurn]
) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    approval = pressed(stage)
    press(stage, stop(stage))
    outcome = press(stage, approval)
    assert (outcome.verdict, outcome.approval) == (Verdict.PRESS_REFUSED, None)
    assert wording.NOT_PENDING in stage.chat.history("post_ephemeral")[-1]
    assert not any("approved" in text for text in stage.chat.texts())
    assert deliver(stage, agent).verdict is Verdict.STOPPED


def test_a_stop_of_an_earlier_turn_of_the_thread_takes_nobody_the_decision(stage: Stage) -> None:
    agent = agent_of(stage)
    press(stage, replace(slacks_stop(stage), event_ts=f"{stage.clock.now() - 5:.6f}"))
    begin(stage, agent)
    assert press(stage, pressed(stage)).verdict is Verdict.DECIDED
    assert deliver(stage, agent).verdict is Verdict.ANSWERED


def test_a_turn_that_is_given_up_while_it_waits_is_interrupted(stage: Stage) -> None:
    begin(stage, agent_of(stage))
    assert surrender(stage).verdict is Verdict.INTERRUPTED
    assert [button.label for button in stage.chat.messages[stage.record.reply[-1]].buttons] == ["Retry"]
    assert len(stage.chat.texts()) == 2
    assert press_late(stage).verdict is Verdict.PRESS_REFUSED


# --- an agent that waits for an answer which it does not get ------------------------------------------------


def has_new_session(stage: Stage) -> bool:
    """Whether the next question does not meet an agent that waits for an answer."""
    return stage.ledger.session(TURN.thread_id, "").began == TURN.ts


def test_an_agent_that_was_told_keeps_its_session(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    press(stage, pressed(stage))
    deliver(stage, agent)
    assert not has_new_session(stage)


@pytest.mark.parametrize("failure", [Failure.THROTTLED, Failure.ACCESS_DENIED])
def test_the_session_begins_anew_where_the_service_does_not_take_the_decision(
    stage: Stage, failure: Failure
) -> None:
    agent = agent_of(stage, ASKS, [Failed(failure, "HTTP 4xx")])
    begin(stage, agent)
    press(stage, pressed(stage))
    assert deliver(stage, agent).failure is failure
    assert has_new_session(stage)


@pytest.mark.parametrize("failure", [Failure.INTERNAL, Failure.CUT_OFF])
@pytest.mark.parametrize("said", [[], [TextDelta("I wrote")]], ids=["silent", "heard"])
def test_the_session_begins_anew_where_the_agent_fails_without_a_word(
    stage: Stage, failure: Failure, said: list[Step]
) -> None:
    """It may still wait for the decision, and meet every later question of the thread with that."""
    agent = agent_of(stage, ASKS, [*said, Failed(failure, "HTTP 500")])
    begin(stage, agent)
    press(stage, pressed(stage))
    assert deliver(stage, agent).failure is failure
    assert has_new_session(stage) is not bool(said)


@pytest.mark.parametrize(
    ("is_begun", "failure"), [(False, Failure.EXPIRED), (True, Failure.INVALID)], ids=["status", "in stream"]
)
def test_an_agent_that_waits_no_longer_for_the_decision_is_said_to_have_forgotten(
    stage: Stage, is_begun: bool, failure: Failure
) -> None:
    agent = agent_of(stage, ASKS, [Failed(Failure.INVALID, "HTTP 400", begun=is_begun)])
    begin(stage, agent)
    press(stage, pressed(stage))
    outcome = deliver(stage, agent)
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, failure)
    assert "HTTP 400" in outcome.detail
    assert has_new_session(stage)
    assert ("its session may have ended" in stage.chat.texts()[-1]) is not is_begun


def test_each_attempt_that_ends_so_has_a_session_of_its_own(stage: Stage) -> None:
    turn, sessions = TURN, []
    for _ in range(3):
        agent = agent_of(stage, ASKS, [Failed(Failure.ACCESS_DENIED, "HTTP 403")])
        take(stage, agent=agent, turn=turn)
        sessions.append(agent.questions[0].session_id)
        press(stage, replace(pressed(stage), attempt=turn.attempt))
        delivery = replace(stage.delivery(), receive_count=2)
        handle(command_of(turn), delivery, stage.ports, answering(stage, agent, STYLES[0]))
        assert stage.record.state is State.INTERRUPTED
        turn = next_attempt(turn)
    assert len({*sessions}) == 3


def test_the_session_begins_anew_after_a_crash_before_the_agent_was_told(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    press(stage, pressed(stage))

    def die(*_: object) -> NoReturn:
        raise Killed

    agent.resume = die  # type: ignore[assignment,method-assign]
    with pytest.raises(Killed):
        deliver(stage, agent)
    stage.clock.sleep(61)
    assert deliver(stage, agent).verdict is Verdict.INTERRUPTED
    assert has_new_session(stage)


def test_the_session_begins_anew_where_a_stop_comes_before_the_agent_is_told(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent)
    press(stage, pressed(stage))
    stops_begin = stage.stops.begin

    def begin_after_the_stop(*arguments: Any, **more: Any) -> Any:
        press(stage, slacks_stop(stage))
        return stops_begin(*arguments, **more)

    stage.stops.begin = begin_after_the_stop  # type: ignore[method-assign]
    assert deliver(stage, agent).verdict is Verdict.STOPPED
    assert agent.answers == []
    assert has_new_session(stage)


def test_the_session_begins_anew_where_a_stop_comes_while_a_tool_runs(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION)})
    agent = agent_of(stage, [LOOK_UP, RETURNS], SENT)
    begin(stage, agent, rules)
    press(stage, pressed(stage))
    # The tool is not done before somebody waits for it.
    stage.ports = replace(stage.ports, beside=when_waited_for)
    stage.tools.results[FUNCTION] = ToolResult("Ann, room 12")

    def stop() -> None:
        press(stage, our_stop(stage))

    stage.ticker.every(2.0, stop)
    assert deliver(stage, agent, rules).verdict is Verdict.STOPPED
    assert agent.answers == []
    assert "may go on by itself" in stage.chat.texts()[-1]
    assert has_new_session(stage)


def test_the_session_begins_anew_where_a_tool_takes_all_the_time_there_is(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION)})
    agent = agent_of(stage, [LOOK_UP, RETURNS], SENT)
    begin(stage, agent, rules)
    press(stage, pressed(stage))
    stage.ports = replace(stage.ports, beside=when_waited_for)
    stage.tools.results[FUNCTION] = ToolResult(wording.TOOL_UNANSWERED, has_failed=True)
    outcome = deliver(stage, agent, rules)
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.DEADLINE)
    # Nobody would listen to what it says.
    assert agent.answers == []
    assert has_new_session(stage)


def test_no_tool_is_started_after_one_that_has_taken_all_the_time_there_is(stage: Stage) -> None:
    rules = ApprovalRules(tools={"look_up": Tool(FUNCTION)})
    agent = agent_of(stage, [LOOK_UP, replace(LOOK_UP, call_id="call-3"), RETURNS], SENT)
    begin(stage, agent, rules)
    press(stage, pressed(stage))
    stage.ports = replace(stage.ports, beside=when_waited_for)
    stage.tools.results[FUNCTION] = ToolResult(wording.TOOL_UNANSWERED, has_failed=True)
    assert deliver(stage, agent, rules).failure is Failure.DEADLINE
    assert len(stage.tools.calls) == 1


def test_the_session_begins_anew_where_slack_has_stopped_the_stream_above_the_card(stage: Stage) -> None:
    stage.chat.trouble["stop_stream"] = [ChatStopped("stopped_by_user")]
    slow: list[Step] = [TextDelta("I will write to Ann. "), 3.0, MAIL, RETURNS]
    outcome = begin(stage, agent_of(stage, slow), options=STYLES[1])
    assert outcome.verdict is Verdict.STOPPED
    assert has_new_session(stage)


@pytest.mark.parametrize(
    "asks",
    [
        [replace(MAIL, arguments=f'{{"body": "{"x" * 20_000}"}}'), RETURNS],
        [LOOK_UP, RETURNS],  # a tool that the bridge does not have
        [RETURNS],  # a question that yes or no does not answer
    ],
    ids=["unreadable", "missing", "unknown"],
)
def test_the_session_begins_anew_where_nobody_can_be_asked(stage: Stage, asks: list[Step]) -> None:
    outcome = begin(stage, agent_of(stage, asks))
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.RETURN_OF_CONTROL)
    assert has_new_session(stage)


def press_late(stage: Stage) -> Outcome:
    ts = f"{stage.clock.now():.6f}"
    return press(
        stage,
        Decide("T1", "C1", TURN.ts, TURN.thread_ts, stage.record.reply[-1], "U1", 1, "0" * 32, True, ts),
    )


def test_a_retry_keeps_what_was_said_before_the_card(stage: Stage) -> None:
    agent = agent_of(stage, ASKS, [kill])
    begin(stage, agent)
    press(stage, pressed(stage))
    with pytest.raises(Killed):
        deliver(stage, agent)
    stage.clock.sleep(61)
    assert deliver(stage, agent).verdict is Verdict.INTERRUPTED
    outcome = take(stage, agent=agent_of(stage, SENT), turn=AGAIN)
    assert outcome.verdict is Verdict.ANSWERED
    said, card, answer = stage.chat.texts()
    assert said.startswith("I will write to Ann.")
    assert "approved" in card
    assert answer == "I wrote to Ann."


def test_a_card_that_slack_refuses_ends_the_turn(stage: Stage) -> None:
    stage.chat.trouble["post"] = [None, ChatRefused("not_in_channel")]
    outcome = begin(stage, agent_of(stage))
    assert outcome.verdict is Verdict.REFUSED_BY_SLACK
    assert stage.record.state is State.FAILED


@pytest.mark.parametrize("code", ["msg_blocks_too_long", "invalid_blocks", "anything_else"])
def test_what_was_said_before_a_card_that_slack_refuses_stays(stage: Stage, code: str) -> None:
    post = stage.chat.post

    def refuse_cards(message: Message) -> str:
        if message.text_input is not None:
            raise ChatRefused(code)
        return post(message)

    stage.chat.post = refuse_cards  # type: ignore[method-assign]
    outcome = begin(stage, agent_of(stage))
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.NOT_SHOWABLE)
    said, why = stage.chat.texts()
    assert said.startswith("I will write to Ann.")
    assert "cannot be shown in Slack" in why
    assert [button.label for button in stage.chat.messages[stage.record.reply[-1]].buttons] == ["Retry"]
    assert has_new_session(stage)


def test_a_worker_that_is_killed_before_it_hides_the_message_misses_no_decision(stage: Stage) -> None:
    agent = agent_of(stage)
    stage.ledger_wait = stage.ledger.wait  # type: ignore[attr-defined]

    def wait_and_die(*arguments: object, **more: object) -> None:
        stage.ledger_wait(*arguments, **more)  # type: ignore[attr-defined]
        raise Killed

    stage.ledger.wait = wait_and_die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        begin(stage, agent)
    del stage.ledger.wait
    press(stage, pressed(stage))
    assert deliver(stage, agent).verdict is Verdict.ANSWERED
    assert told(agent) == [(True, "", None)]


def test_a_press_while_a_deleted_card_is_posted_anew_is_told_who_was_faster(stage: Stage) -> None:
    agent = agent_of(stage)
    begin(stage, agent, ANYONE)
    first, second = pressed(stage), pressed(stage, user="U2")
    press(stage, first)
    del stage.chat.messages[stage.record.reply[-1]]
    post = stage.chat.post

    def press_and_post(message: Message) -> str:
        if message.is_notice:
            assert press(stage, second).verdict is Verdict.PRESS_REFUSED
        return post(message)

    stage.chat.post = press_and_post  # type: ignore[method-assign]
    assert deliver(stage, agent, ANYONE).verdict is Verdict.ANSWERED
    assert "<@U1> was faster" in stage.chat.history("post_ephemeral")[-1]
    assert stage.chat.texts()[1].startswith(":white_check_mark:")


@pytest.mark.parametrize("stop", [slacks_stop, our_stop])
@pytest.mark.parametrize("read", ["of_turn", "of_thread"])
def test_no_stop_is_missed_where_it_cannot_be_read(
    stage: Stage, stop: Callable[[Stage], StopThread | StopTurn], read: str
) -> None:
    wait = stage.ledger.wait

    def wait_and_stop(*arguments: Any, **more: Any) -> None:
        wait(*arguments, **more)
        press(stage, stop(stage))
        stage.stops.trouble[read] = [ServiceUnavailable("no answer")]

    stage.ledger.wait = wait_and_stop  # type: ignore[method-assign]
    begin(stage, agent_of(stage))
    assert stage.message.hidden[-1] <= FIRST_BACK_OFF


def test_a_decision_is_bound_to_its_pause(stage: Stage) -> None:
    agent = agent_of(stage, ASKS, ASKS, SENT)
    begin(stage, agent)
    first = pressed(stage)
    press(stage, first)
    deliver(stage, agent)
    later = f"{stage.clock.now() + 1:.6f}"
    again = replace(first, message_ts=stage.record.reply[-1], action_ts=later)
    assert press(stage, again).verdict is Verdict.PRESS_REFUSED
    assert deliver(stage, agent).verdict is Verdict.AWAITING_APPROVAL


def test_a_pause_is_not_guessable(stage: Stage) -> None:
    begin(stage, agent_of(stage))
    pause = stage.record.pause
    assert isinstance(pause, Pause)
    assert len(pause.id) == 32
    assert stage.ledger.decisions == {}
    assert isinstance(Decision(Decided.APPROVED, "U1", 0.0), Decision)
