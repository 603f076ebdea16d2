"""Writing a reply while Slack refuses, fails and forgets: what must land lands once, in order."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from functions.bridge.agent import Failed, File, Finished, TextDelta, ToolUse
from functions.bridge.answer import HOPELESS_RECEIVES, give_up
from functions.bridge.chat import ChatRateLimited, ChatRefused, ChatUnavailable, ChatUndone
from functions.bridge.custody import ServiceUnavailable
from functions.bridge.failures import Failure
from functions.bridge.ledger import State
from functions.bridge.outcome import Verdict
from functions.bridge.turn import Turn
from tests.functions.bridge.asking import SUNNY, Killed, kill, take
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step

PARAGRAPHS = [f"Paragraph {number}. " + "word " * 200 for number in range(30)]
THREE_MESSAGES: list[Step] = [TextDelta("\n\n".join(PARAGRAPHS)), Finished()]


@pytest.fixture
def stage() -> Stage:
    return Stage()


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


def words(texts: list[str]) -> list[str]:
    return " ".join(texts).split()


# --- messages that cannot be edited any more ----------------------------------------------------------------


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


# --- Slack or the ledger down for minutes -------------------------------------------------------------------


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


def test_an_answer_is_heard_to_its_end_while_the_thread_cannot_be_searched(stage: Stage) -> None:
    stage.chat.trouble["post"] = [(ChatUnavailable("timeout"), "after")]
    stage.chat.trouble["find"] = [ChatUnavailable("503")] * 40
    agent = ScriptedAgent(stage.clock, [3.0, *SUNNY])
    assert take(stage, agent=agent).verdict is Verdict.OWED
    stage.chat.trouble.clear()
    assert take(stage, agent=agent).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


def test_an_answer_is_heard_to_its_end_while_the_ledger_takes_no_progress(stage: Stage) -> None:
    def ledger_fails() -> None:
        stage.ledger.trouble["advance"] = [ServiceUnavailable("down")] * 100

    def ledger_works() -> None:
        stage.ledger.trouble.clear()

    script: list[Step] = [ledger_fails, *THREE_MESSAGES[:-1], 200.0, ledger_works, Finished()]
    assert take(stage, *script).verdict is Verdict.ANSWERED
    assert words(stage.chat.texts()) == words(PARAGRAPHS)


def test_what_slack_always_fails_on_is_explained_in_the_end(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, *[ChatUnavailable("internal_error")] * 200]
    assert take(stage, TextDelta("It is"), 3.0, TextDelta(" sunny."), Finished()).verdict is Verdict.OWED
    delivery = replace(stage.delivery(), receives=HOPELESS_RECEIVES + 1)
    assert give_up(TURN, delivery, stage.ports).verdict is Verdict.OWED
    stage.chat.trouble.clear()
    delivery = replace(stage.delivery(), receives=HOPELESS_RECEIVES + 2)
    outcome = give_up(TURN, delivery, stage.ports)
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.NOT_SHOWABLE)
    assert "cannot be shown in Slack" in stage.chat.texts()[0]


def test_an_answer_that_was_only_received_too_often_is_shown(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, *[ChatUnavailable("internal_error")] * 100]
    assert take(stage, TextDelta("It is"), 3.0, TextDelta(" sunny."), Finished()).verdict is Verdict.OWED
    stage.chat.trouble.clear()
    delivery = replace(stage.delivery(), receives=HOPELESS_RECEIVES + 1)  # the ledger was down for hours
    assert give_up(TURN, delivery, stage.ports).verdict is Verdict.ANSWERED
    assert stage.chat.texts() == ["It is sunny."]


# --- refusals -----------------------------------------------------------------------------------------------


def test_a_refusal_that_nobody_foresaw_is_explained_and_offers_retry(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [None, ChatRefused("a_new_rule_of_slacks")]
    outcome = take(stage, TextDelta("Sunny"), 3.0, TextDelta("."), Finished())
    assert (outcome.verdict, outcome.failure) == (Verdict.FAILED, Failure.NOT_SHOWABLE)
    [part] = stage.chat.messages.values()
    assert "cannot be shown in Slack" in part.markdown
    assert part.offers_retry


def test_why_a_turn_ends_is_known_to_whoever_finishes_it(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(400), ChatRateLimited(400)]
    stage.chat.trouble["post"] = [None, ChatRateLimited(400)]
    script: list[Step] = [TextDelta("It is"), 3.0, Failed(Failure.DEPENDENCY, "a tool")]
    assert take(stage, *script).verdict is Verdict.OWED
    outcome = take(stage)
    assert (outcome.verdict, outcome.failure) == (Verdict.INTERRUPTED, Failure.DEPENDENCY)


# --- a crowd in one workspace -------------------------------------------------------------------------------


def test_the_first_text_does_not_wait_until_slack_takes_edits_again(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(30), ChatRateLimited(29)]
    seen: list[list[str]] = []
    script: list[Step] = [
        ToolUse("weather"), 1.0, TextDelta("It is "), 1.0, lambda: seen.append(stage.chat.texts()),
        TextDelta("sunny"), 60.0, lambda: seen.append(stage.chat.texts()), TextDelta("."), Finished(),
    ]  # fmt: skip
    outcome = take(stage, *script)
    assert outcome.first_text_seconds is not None
    assert outcome.first_text_seconds < 2
    assert seen == [["Processing…", "It is"], ["It is sunny"]]
    assert stage.chat.texts() == ["It is sunny."]
    assert list(stage.chat.messages) == list(stage.record.reply)


def test_a_first_text_that_stands_apart_becomes_the_second_message_of_a_long_answer(stage: Stage) -> None:
    stage.chat.trouble["edit"] = [ChatRateLimited(5)]
    take(stage, TextDelta("First. "), 1.0, *THREE_MESSAGES[:-1], 30.0, Finished())
    assert len(stage.chat.texts()) == 3
    assert words(stage.chat.texts()) == words(["First.", *PARAGRAPHS])
    assert stage.chat.history("delete") == []


# --- files of the agent's -----------------------------------------------------------------------------------

CHART = File("chart.png", "image/png", b"png")


def test_an_answer_survives_a_crash_while_its_files_are_uploaded(stage: Stage) -> None:
    upload = stage.chat.upload

    def die(turn: Turn, file: File) -> None:
        upload(turn, file)
        kill()

    stage.chat.upload = die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        take(stage, TextDelta("See the chart."), CHART, Finished())
    stage.clock.sleep(61)
    assert take(stage).verdict is Verdict.ANSWERED
    [text] = stage.chat.texts()
    assert text.startswith("See the chart.")
    assert "may be missing here: “chart.png”" in text


def test_uploads_end_with_the_time_of_the_invocation(stage: Stage) -> None:
    upload = stage.chat.upload

    def slowly(turn: Turn, file: File) -> None:
        stage.clock.sleep(100)
        upload(turn, file)

    stage.chat.upload = slowly  # type: ignore[method-assign]
    files = [replace(CHART, name=f"{number}.png") for number in range(5)]
    outcome = take(stage, TextDelta("See."), *files, Finished())
    assert (outcome.verdict, outcome.failure) == (Verdict.ANSWERED, Failure.UPLOAD)
    assert len(stage.chat.files) == 3
    assert "“3.png”, “4.png”" in stage.chat.texts()[0]


def test_a_file_of_which_nothing_shows_yet_is_sent_again(stage: Stage) -> None:
    stage.chat.trouble["upload"] = [ChatUndone("503"), ChatUndone("503")]
    outcome = take(stage, TextDelta("See."), CHART, Finished())
    assert (outcome.verdict, outcome.failure) == (Verdict.ANSWERED, None)
    assert stage.chat.files == [CHART]
    assert stage.chat.texts() == ["See."]


def test_the_messages_of_an_earlier_attempt_make_way_for_the_new_answer(stage: Stage) -> None:
    take(stage, *THREE_MESSAGES[:-1], Failed(Failure.CUT_OFF, "cut"))
    before = len(stage.chat.texts())
    again = replace(TURN, text="", attempt=2)
    seen: list[int] = []
    take(stage, TextDelta("It is"), 3.0, lambda: seen.append(len(stage.chat.texts())), Finished(), turn=again)
    assert (before, seen) == (3, [1])
    assert stage.chat.texts() == ["It is"]


# --- taking messages back -----------------------------------------------------------------------------------

AGAIN = replace(TURN, text="", attempt=2)


def interrupted_after_three_messages(stage: Stage) -> None:
    take(stage, *THREE_MESSAGES[:-1], Failed(Failure.CUT_OFF, "cut"))
    assert len(stage.chat.texts()) == 3


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


@pytest.mark.parametrize("beginning", ["```", "<", "|", "`", "<!--"])
def test_an_answer_that_begins_with_nothing_to_show_leaves_the_placeholder(
    stage: Stage, beginning: str
) -> None:
    seen: list[list[str]] = []
    look = lambda: seen.append(stage.chat.texts())  # noqa: E731
    take(stage, TextDelta(beginning), 3.0, look, TextDelta("x"), Finished())
    assert seen == [["Processing…"]]
    assert stage.chat.history("delete") == []


def test_a_question_that_cannot_be_forgotten_at_once_is_answered_all_the_same(stage: Stage) -> None:
    take(stage, Failed(Failure.CUT_OFF, "cut"))
    forget = stage.ledger.forget_question

    def fail(turn: Turn) -> None:
        stage.ledger.forget_question = forget  # type: ignore[method-assign]
        raise ServiceUnavailable(turn.turn_id)

    stage.ledger.forget_question = fail  # type: ignore[method-assign]
    assert take(stage, turn=AGAIN).verdict is Verdict.ANSWERED


def test_an_upload_that_outlives_the_lease_waits_for_the_ledger(stage: Stage) -> None:
    upload = stage.chat.upload

    def slowly(turn: Turn, file: File) -> None:
        stage.clock.sleep(70)
        stage.ledger.trouble["renew"] = [ServiceUnavailable("down")] * 2
        upload(turn, file)

    stage.chat.upload = slowly  # type: ignore[method-assign]
    files = [replace(CHART, name=f"{number}.png") for number in range(2)]
    assert take(stage, TextDelta("See."), *files, Finished()).verdict is Verdict.ANSWERED
    assert stage.chat.files == files
