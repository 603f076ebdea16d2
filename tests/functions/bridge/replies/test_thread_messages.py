"""Messages while Slack fails, forgets and refuses edits: each stands once, in order."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from functions.bridge.agents.events import Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.ledger.record import State
from functions.bridge.replies.chat import ChatRateLimited, ChatRefused, ChatUnavailable
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import AGAIN, PARAGRAPHS, SUNNY, THREE_MESSAGES, Killed, take
from tests.functions.bridge.texts import words
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step, next_attempt


class Dying:
    """A port whose process dies at the call number `dies_at`, before or after it had its effect."""

    def __init__(self, port: Any, dies_at: int, *, after: bool) -> None:
        self._port = port
        self._left = dies_at
        self._after = after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def call(*arguments: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            result = method(*arguments, **options)
            if self._left == 0:
                raise Killed
            return result

        return call


# --- messages that cannot be edited any more ----------------------------------------------------------------


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message"])
def test_an_answer_that_can_no_longer_be_edited_in_is_posted(stage: Stage, code: str) -> None:
    stage.chat.trouble["edit"] = [None, ChatRefused(code)]
    assert take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished()).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["Sunny."]


@pytest.mark.parametrize("code", ["edit_window_closed", "cant_update_message", "block_mismatch"])
def test_the_post_that_replaces_an_uneditable_message_may_get_lost(stage: Stage, code: str) -> None:
    stage.chat.trouble["edit"] = [ChatRefused(code)] * 9
    stage.chat.trouble["post"] = [None, ChatUnavailable("reset")]
    assert take(stage, 1.0, *SUNNY).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_an_uneditable_message_that_slack_keeps_is_left_standing(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRefused("cant_update_message")] * 9
    stage.chat.trouble["delete"] = [ChatRefused("cant_delete_message")] * 9
    stage.chat.trouble["post"] = [None, ChatUnavailable("reset")]
    assert take(stage, 1.0, *SUNNY).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["Processing…", "It is sunny."]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("said", ["It is sunny.", "\n\n".join(PARAGRAPHS)], ids=["one message", "three"])
@pytest.mark.parametrize("dies_at", range(1, 25))
def test_a_crash_while_messages_are_replaced_neither_loses_nor_repeats(
    stage: Stage, said: str, after: bool, dies_at: int
) -> None:
    def freeze_all() -> None:
        stage.chat.frozen.update(stage.chat.messages)

    agent = ScriptedAgent(stage.clock, [TextDelta(said), 3.0, freeze_all, TextDelta(" End."), Finished()])
    ports = stage.ports
    stage.ports = replace(ports, chat=Dying(stage.chat, dies_at, after=after))
    try:
        take(stage, agent=agent)
    except Killed:
        stage.clock.sleep(61)
        stage.ports = ports
        take(stage, agent=agent)
    assert len(agent.questions) == 1 or dies_at == 1  # it looks for the asker's name
    if stage.record.state is State.ANSWERED:
        assert words(stage.chat.texts()) == words([said, "End."])
    else:
        [text] = stage.chat.texts()
        assert "was not asked again" in text


def test_messages_stay_in_order_when_the_first_is_replaced(stage: Stage) -> None:
    def freeze() -> None:
        stage.chat.frozen.add(min(stage.chat.messages, key=float))

    take(stage, *THREE_MESSAGES[:-1], 3.0, freeze, TextDelta(" End."), Finished())
    assert len(stage.chat.texts()) == 3
    assert words(stage.chat.texts()) == words([*PARAGRAPHS, "End."])


# --- taking messages back -----------------------------------------------------------------------------------


def interrupted_after_three_messages(stage: Stage) -> None:
    take(stage, *THREE_MESSAGES[:-1], Failed(Failure.CUT_OFF, "cut"))
    assert len(stage.chat.texts()) == 3


def test_a_retry_with_a_shorter_answer_takes_back_the_rest_of_the_longer_one(stage: Stage) -> None:
    take(stage, TextDelta("\n\n".join(["A sentence."] * 3000)), Failed(Failure.CUT_OFF, "x"))
    assert len(stage.chat.texts()) > 2
    take(stage, turn=next_attempt(TURN))
    assert stage.chat.texts() == ["It is sunny."]
    assert (stage.record.reply, stage.record.intended) == (stage.record.reply[:1], 1)


def test_the_messages_of_an_earlier_attempt_make_way_for_the_new_answer(stage: Stage) -> None:
    take(stage, *THREE_MESSAGES[:-1], Failed(Failure.CUT_OFF, "cut"))
    before = len(stage.chat.texts())
    again = replace(TURN, text="", attempt=2)
    seen: list[int] = []
    take(stage, TextDelta("It is"), 3.0, lambda: seen.append(len(stage.chat.texts())), Finished(), turn=again)
    assert (before, seen) == (3, [1])
    assert stage.chat.texts() == ["It is"]


def test_a_first_text_whose_removal_nobody_confirmed_may_be_followed_by_a_long_answer(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(2)]
    stage.chat.trouble["delete"] = [(ChatUnavailable("timeout"), "after")]
    take(stage, TextDelta("First. "), 5.0, *THREE_MESSAGES[:-1], 5.0, Finished())
    assert words(stage.chat.texts()) == words(["First.", *PARAGRAPHS])


@pytest.mark.parametrize("trouble", [ChatRateLimited(1), ChatUnavailable("503")])
def test_an_attempt_that_cannot_be_taken_back_at_once_makes_way_all_the_same(
    stage: Stage, trouble: Exception
) -> None:
    interrupted_after_three_messages(stage)
    stage.chat.trouble["delete"] = [None, trouble]
    script: list[Step] = [TextDelta("First. "), 2.0, *THREE_MESSAGES[:-1], 5.0, Finished()]
    assert take(stage, *script, turn=AGAIN).verdict is Verdict.ANSWERED
    assert words(stage.chat.texts()) == words(["First.", *PARAGRAPHS])


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", range(1, 20))
def test_a_crash_while_an_attempt_is_taken_back_leaves_one_outcome_in_order(
    stage: Stage, after: bool, dies_at: int
) -> None:
    interrupted_after_three_messages(stage)
    stage.chat.frozen.add(min(stage.chat.messages, key=float))
    ports = stage.ports
    stage.ports = replace(ports, chat=Dying(stage.chat, dies_at, after=after))
    agent = ScriptedAgent(stage.clock, [TextDelta("New. "), 2.0, *THREE_MESSAGES[:-1], 5.0, Finished()])
    with suppress(Killed):
        take(stage, agent=agent, turn=AGAIN)
    stage.ports = ports
    stage.clock.sleep(61)
    take(stage, agent=agent, turn=AGAIN)
    assert list(stage.chat.messages) == list(stage.record.reply)
    if stage.record.state is State.ANSWERED:
        assert words(stage.chat.texts()) == words(["New.", *PARAGRAPHS])
    else:
        assert len(stage.chat.texts()) == 1
