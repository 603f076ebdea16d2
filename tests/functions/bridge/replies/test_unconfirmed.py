"""Messages that may stand in the thread though nobody confirmed it: they are looked for, not posted again."""

import pytest

from functions.bridge.agents.events import Finished, TextDelta
from functions.bridge.replies.chat import ChatRefused, ChatUnavailable
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import SUNNY, Killed, take
from tests.functions.fakes import ScriptedAgent, Stage, Step


def test_a_placeholder_that_the_ledger_does_not_know_of_is_found_and_reused(stage: Stage) -> None:
    # Killed after the post, before its ts was on record.
    stage.ledger.trouble["advance"] = []
    stage.chat.trouble["post"] = [(Killed(), "after")]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage)
    stage.clock.sleep(61)
    take(stage)
    assert stage.chat.history("find") == [""]
    assert len(stage.chat.texts()) == 1
    assert stage.chat.texts() != ["Processing…"]


def test_a_placeholder_whose_confirmation_was_lost_is_not_posted_twice(stage: Stage) -> None:
    stage.chat.trouble["post"] = [(ChatUnavailable("timeout"), "after")]
    assert take(stage, 5.0, *SUNNY).verdict is Verdict.ANSWERED
    assert stage.chat.history("post") == ["Processing…"]
    assert stage.chat.texts() == ["It is sunny."]


def test_a_long_owed_answer_is_continued_where_it_stopped(stage: Stage) -> None:
    long = "\n\n".join(f"Sentence number {number}." for number in range(3000))
    stage.chat.trouble["post"] = [None, None, (Killed(), "after")]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage, TextDelta(long), Finished())
    stage.clock.sleep(61)
    assert take(stage).verdict is Verdict.ANSWERED
    assert "\n\n".join(stage.chat.texts()) == long


def test_an_answer_is_heard_to_its_end_while_the_thread_cannot_be_searched(stage: Stage) -> None:
    stage.chat.trouble["post"] = [(ChatUnavailable("timeout"), "after")]
    stage.chat.trouble["find"] = [ChatUnavailable("503")] * 40
    agent = ScriptedAgent(stage.clock, [3.0, *SUNNY])
    assert take(stage, agent=agent).verdict is Verdict.OWED
    stage.chat.trouble.clear()
    assert take(stage, agent=agent).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_without_the_history_scopes_at_most_one_message_is_left_over(stage: Stage) -> None:
    stage.chat.trouble["post"] = [(Killed(), "after")]  # type: ignore[list-item]
    with pytest.raises(Killed):
        take(stage)
    stage.clock.sleep(61)
    stage.chat.trouble["find"] = [ChatRefused("missing_scope")]
    take(stage)
    assert len(stage.chat.history("find")) == 1
    assert len(stage.chat.texts()) == 2


def test_without_the_history_scopes_progress_is_not_posted_after_a_lost_confirmation(stage: Stage) -> None:
    stage.chat.trouble["post"] = [(ChatUnavailable("timeout"), "after")]
    stage.chat.trouble["find"] = [ChatRefused("missing_scope")] * 9
    script: list[Step] = []
    for _ in range(9):
        script += [TextDelta("word "), 3.0]
    assert take(stage, *script, Finished()).verdict is Verdict.ANSWERED
    assert len(stage.chat.texts()) == 2  # the one that was lost, and the answer
