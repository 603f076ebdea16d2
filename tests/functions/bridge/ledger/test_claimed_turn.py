"""A turn in the hands of one owner: its lease, its hidden message, what must succeed, and the giving back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.bridge.agents.events import Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.replies.chat import ChatRateLimited, ChatUnavailable
from functions.bridge.turn import Turn
from functions.bridge.turns.answer import give_up
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import AGAIN, SUNNY, slow_down, take
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step

# --- the lease and the message ------------------------------------------------------------------------------


def test_the_lease_and_the_message_are_kept_while_a_silent_agent_works(stage: Stage) -> None:
    take(stage, 100.0, *SUNNY)
    renewed = [name for name, _ in stage.ledger.writes].count("renew")
    assert renewed == 5  # at 20, 40, 60, 80 and 100 seconds
    assert stage.message.hidden == [61.0, *[60.0] * 5]


def test_a_message_is_hidden_before_anything_else_so_that_a_crash_is_noticed_soon(stage: Stage) -> None:
    stage.ledger.trouble["claim"] = [ServiceUnavailable("down")]
    take(stage)
    assert stage.message.hidden == [61.0]


def test_a_message_that_could_not_be_hidden_is_hidden_soon(stage: Stage) -> None:
    stage.message.trouble = [ServiceUnavailable("down"), ServiceUnavailable("down")]
    take(stage, 6.0, *SUNNY)
    assert stage.message.hidden == [60.0]


def test_a_lease_that_cannot_be_renewed_is_tried_again_soon(stage: Stage) -> None:
    stage.ledger.trouble["renew"] = [ServiceUnavailable("x"), ServiceUnavailable("x")]
    assert take(stage, 35.0, *SUNNY).verdict is Verdict.ANSWERED
    renewals = [name for name, _ in stage.ledger.writes if name == "renew"]
    assert renewals == ["renew"]  # at 30 seconds, after two tries in vain


def test_a_lease_counts_from_before_its_claim(stage: Stage) -> None:
    slow_down(stage, stage.ledger, "claim", 9)
    stage.ledger.trouble["renew"] = [ServiceUnavailable("x")] * 100
    seen: list[list[str]] = []
    # After 62 seconds another worker may have the turn.
    script: list[Step] = [53.0, TextDelta("It is "), 1.0, lambda: seen.append(stage.chat.texts())]
    take(stage, *script, stage.ledger.trouble.clear, TextDelta("sunny."), Finished())
    assert seen == [["Processing…"]]
    assert stage.chat.texts() == ["It is sunny."]


def test_a_long_answer_keeps_its_lease_while_its_parts_go_out(stage: Stage) -> None:
    slow_down(stage, stage.chat, "post", 9)
    take(stage, TextDelta("\n\n".join(["A sentence."] * 9000)), Finished())
    leases = [name for name, _ in stage.ledger.writes].count("renew")
    assert leases >= 3


def test_a_worker_that_lost_its_lease_writes_nothing_more(stage: Stage) -> None:
    def lose() -> None:
        stage.ledger.records[TURN.turn_id] = replace(stage.record, owner="somebody else")

    outcome = take(stage, TextDelta("It is "), 1.0, lose, TextDelta("sunny."), Finished())
    assert outcome.verdict is Verdict.LEASE_LOST
    assert outcome.retry_in_seconds is not None
    assert stage.chat.texts() == ["It is"]


# --- what must succeed --------------------------------------------------------------------------------------


def test_a_ledger_that_fails_for_a_moment_loses_nothing(stage: Stage) -> None:
    stage.ledger.trouble = {name: [ServiceUnavailable("x")] for name in ("advance", "owe", "settle")}
    assert take(stage).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_the_final_text_waits_as_long_as_slack_asks(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRateLimited(30), ChatUnavailable("500")]
    began = stage.clock.now()
    assert take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished()).verdict is Verdict.ANSWERED
    assert stage.clock.now() - began >= 34
    assert stage.chat.texts() == ["Sunny."]


def test_no_text_stays_on_record_once_it_has_landed(stage: Stage) -> None:
    take(stage)
    assert (stage.record.owed, stage.record.ending) == ((), None)


def test_a_question_that_cannot_be_forgotten_at_once_is_answered_all_the_same(stage: Stage) -> None:
    take(stage, Failed(Failure.CUT_OFF, "cut"))
    forget = stage.ledger.forget_question

    def fail(turn: Turn) -> None:
        stage.ledger.forget_question = forget  # type: ignore[method-assign]
        raise ServiceUnavailable(turn.turn_id)

    stage.ledger.forget_question = fail  # type: ignore[method-assign]
    assert take(stage, turn=AGAIN).verdict is Verdict.ANSWERED


# --- giving back --------------------------------------------------------------------------------------------


def test_a_final_text_that_cannot_land_in_time_is_owed_and_the_turn_let_go(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRateLimited(400)]
    outcome = take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished())
    assert outcome.verdict is Verdict.OWED
    assert outcome.retry_in_seconds is not None
    assert outcome.retry_in_seconds >= 400
    agent = ScriptedAgent(stage.clock, SUNNY)
    assert take(stage, agent=agent).verdict is Verdict.ANSWERED  # at once: no lease to wait for
    assert agent.questions == []
    assert stage.chat.texts() == ["Sunny."]


@pytest.mark.parametrize(
    ("port", "method", "trouble"),
    [
        ("chat", "edit", ChatUnavailable("HTTP 503 without Slack's answer")),
        ("ledger", "settle", ServiceUnavailable("DynamoDB refused: ThrottlingException")),
    ],
    ids=["slack", "ledger"],
)
def test_what_did_not_answer_is_in_the_log_beside_what_the_agent_said(
    stage: Stage, port: str, method: str, trouble: Exception
) -> None:
    getattr(stage, port).trouble[method] = [trouble] * 100
    outcome = take(stage, 3.0, Failed(Failure.INTERNAL, "internalServerException (request r1)"))
    assert outcome.verdict is Verdict.OWED
    assert outcome.detail == f"internalServerException (request r1); {trouble}"


def test_an_answer_of_many_messages_is_given_back_when_slack_is_too_slow_for_it(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatUnavailable("503")] * 100
    take(stage, TextDelta("\n\n".join(["A sentence."] * 6000)), Finished())
    stage.chat.trouble.clear()
    slow_down(stage, stage.chat, "post", 9)
    delivery = stage.delivery(25.0)
    assert give_up(TURN, delivery, stage.ports).verdict is Verdict.OWED
    assert stage.clock.now() < delivery.deadline + 9  # the last one began before it
    assert give_up(TURN, stage.delivery(250.0), stage.ports).verdict is Verdict.ANSWERED
    assert " ".join(stage.chat.texts()).split() == ["A", "sentence."] * 6000


def test_an_answer_lands_though_slack_was_down_for_longer_than_an_invocation(stage: Stage) -> None:
    down_until = stage.clock.now() + 295

    class Down:
        def __getattr__(self, name: str) -> Callable[..., Any]:
            method = getattr(stage.chat, name)

            def call(*arguments: Any, **options: Any) -> Any:
                if stage.clock.now() < down_until:
                    stage.clock.sleep(0.1)
                    raise ChatUnavailable("503")
                return method(*arguments, **options)

            return call

    stage.ports = replace(stage.ports, chat=Down())
    agent = ScriptedAgent(stage.clock, [3.0, *SUNNY])
    outcome = take(stage, agent=agent)
    assert outcome.verdict is Verdict.OWED
    assert take(stage, agent=agent).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]
    assert len(agent.questions) == 1
