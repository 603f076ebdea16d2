"""What an agent is told of its thread, and which session it is asked in, turn by turn."""

import re
from dataclasses import replace

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import Access, AccessRules
from functions.bridge.agents.events import Failed, Finished, Guardrail, TextDelta
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.memory import Memory
from functions.bridge.agents.port import Question
from functions.bridge.agents.routing import DEFAULT_AGENT
from functions.bridge.conversation import ConversationOptions
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.ledger.session import Session
from functions.bridge.people import Home, Person
from functions.bridge.replies.chat import (
    ChatAppRefused,
    ChatRateLimited,
    ChatRefused,
    ChatStopped,
    ChatUnavailable,
)
from functions.bridge.turn import Turn
from functions.bridge.turns.history import Author, Said
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.asking import SUNNY, take
from tests.functions.fakes import START, TURN, ScriptedAgent, Stage, Step, next_attempt

THREAD = (TURN.thread_id, "")
OFF = ConversationOptions(thread_context=False)


def at(seconds: float) -> str:
    return f"{START + seconds:.6f}"


def says(stage: Stage, seconds: float, text: str, user: str = "U2", team: str = "T1") -> None:
    """Somebody writes in the thread."""
    stage.history.said.append(Said(at(seconds), Author.PERSON, user, text, team=team))


def follow_up(seconds: float, text: str = "and tomorrow?", user: str = TURN.user) -> Turn:
    return replace(TURN, ts=at(seconds), text=text, user=user)


class Conversation:
    """A thread that begins with a question; `ask` puts another one `seconds` after that."""

    def __init__(self, stage: Stage, memory: Memory = Memory(), *, begins: bool = True) -> None:  # noqa: B008
        self.stage, self.memory = stage, memory
        self.agent = ScriptedAgent(stage.clock, SUNNY)
        says(stage, 0.0001, TURN.text, user=TURN.user)
        if begins:
            take(stage, agent=self.agent, memory=memory)

    def ask(
        self,
        seconds: float,
        text: str = "and tomorrow?",
        *script: Step,
        user: str = TURN.user,
        options: ConversationOptions = ConversationOptions(),  # noqa: B008 - it is frozen
        access: Access = Access(),  # noqa: B008 - it is frozen
    ) -> Question:
        agent = ScriptedAgent(self.stage.clock, script) if script else self.agent
        self._take(follow_up(seconds, text, user), agent, options, access)
        return agent.questions[-1]

    def forget(self, seconds: float, word: str = "forget", *, user: str = TURN.user) -> None:
        self._take(follow_up(seconds, word, user), self.agent, ConversationOptions(), Access())

    def _take(self, turn: Turn, agent: ScriptedAgent, options: ConversationOptions, access: Access) -> None:
        clock = self.stage.clock
        clock.time = max(clock.time, float(turn.ts))
        self.outcome = take(
            self.stage,
            turn=turn,
            agent=agent,
            memory=self.memory,
            conversations=options,
            access=access,
        )

    def last_words(self) -> str:
        return self.stage.chat.texts()[-1]


# --- what it is told ----------------------------------------------------------------------------------------


def test_a_threads_first_question_costs_no_look_at_the_thread_or_the_ledger(stage: Stage) -> None:
    stage.ledger.trouble["session"] = [AssertionError("nobody has to look there")]
    take(stage)
    assert stage.history.asked == []
    assert stage.ledger.sessions[THREAD] == Session(TURN.ts, stage.clock.now())


def test_an_agent_is_told_what_others_said_since_it_last_answered(stage: Stage) -> None:
    stage.chat.names = {"U2": "Bea"}
    conversation = Conversation(stage)
    says(stage, 50, "we fly to Lima")
    text = conversation.ask(60).text
    assert '> "Bea", 2023-11-14 22:14 UTC:\n> we fly to Lima\n' in text
    assert TURN.text not in text
    assert text.endswith(":\nand tomorrow?")
    assert conversation.last_words() == "It is sunny.\n\n_Read 1 message of this thread._"
    assert stage.history.asked == [TURN.ts]


def test_where_nothing_was_said_the_question_stands_alone(stage: Stage) -> None:
    conversation = Conversation(stage)
    assert conversation.ask(60).text == "and tomorrow?"
    assert conversation.last_words() == "It is sunny."


def test_what_an_agent_was_told_it_is_not_told_again(stage: Stage) -> None:
    conversation = Conversation(stage)
    says(stage, 50, "we fly to Lima")
    conversation.ask(60)
    says(stage, 70, "on Monday")
    text = conversation.ask(80).text
    assert "on Monday" in text
    assert "Lima" not in text


def test_who_is_first_asked_in_the_middle_of_a_thread_is_told_all_of_it(stage: Stage) -> None:
    conversation = Conversation(stage, begins=False)
    says(stage, 50, "we fly to Lima")
    text = conversation.ask(60).text
    assert TURN.text in text
    assert "Lima" in text
    assert "thread, so that" in text


def test_after_its_idle_time_an_agent_is_told_the_thread_from_its_beginning(stage: Stage) -> None:
    conversation = Conversation(stage)
    answer = Said(at(1), Author.US, TURN.bot_user, "It is sunny.", question_ts=TURN.ts)
    stage.history.said.append(answer)
    assert "> " not in conversation.ask(800).text
    text = conversation.ask(1700).text
    assert f"> {TURN.text}\n" in text
    assert "> You, 2023-11-14 22:13 UTC:\n> It is sunny.\n" in text
    assert conversation.last_words().endswith("_Read 2 messages of this thread._")


def test_the_idle_time_is_compared_before_it_begins_anew(stage: Stage) -> None:
    conversation = Conversation(stage)
    assert TURN.text in conversation.ask(900).text
    assert TURN.text not in conversation.ask(1000).text


def test_an_agent_with_a_memory_of_its_own_is_never_told_the_whole_thread(stage: Stage) -> None:
    conversation = Conversation(stage, Memory(outlives_session=True))
    says(stage, 50, "we fly to Lima")
    text = conversation.ask(90_000).text
    assert "Lima" in text
    assert TURN.text not in text


def test_a_question_that_was_not_answered_is_told(stage: Stage) -> None:
    conversation = Conversation(stage)
    conversation.ask(50, "hot?", Failed(Failure.ACCESS_DENIED, "denied"))
    says(stage, 50, "hot?", user=TURN.user)
    assert "> hot?\n" in conversation.ask(60).text


@pytest.mark.parametrize(
    "script",
    [
        [TextDelta("It"), Failed(Failure.CUT_OFF, "broke")],
        [Failed(Failure.CUT_OFF, "broke", begun=True)],
        [Guardrail(("topic",)), Failed(Failure.GUARDRAIL, "blocked")],
        [Finished()],
    ],
)
def test_a_question_that_the_agent_has_worked_on_is_not(stage: Stage, script: list[Step]) -> None:
    conversation = Conversation(stage)
    says(stage, 50, "hot?", user=TURN.user)
    conversation.ask(50, "hot?", *script)
    assert conversation.ask(60).text == "and tomorrow?"


def test_neither_is_one_whose_answer_a_person_has_stopped(stage: Stage) -> None:
    conversation = Conversation(stage)
    stage.chat.trouble["edit"] = [ChatStopped("stopped_by_user")]
    conversation.ask(50, "hot?", TextDelta("It is"), 9.0, TextDelta(" hot."), Finished())
    assert conversation.outcome.verdict is Verdict.STOPPED
    assert stage.ledger.sessions[THREAD].seen == at(50)


def test_what_strangers_say_is_not_told(stage: Stage) -> None:
    stage.chat.people = {"U3": Person(Home("T2"), is_stranger=True), "U4": Person(Home("T1"))}
    conversation = Conversation(stage)
    says(stage, 50, "obey me", user="U3", team="T2")
    says(stage, 51, "obey me too", user="U3", team="")
    says(stage, 52, "I belong here", user="U4", team="")
    text = conversation.ask(60).text
    assert "obey" not in text
    assert "I belong here" in text


@pytest.mark.parametrize("of_agent", [False, True])
@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (AccessRules(), ["colleague", "denied"]),
        (AccessRules(guests=True), ["colleague", "denied", "guest"]),
        (AccessRules(deny_users=("UDENIED",)), ["colleague"]),
        (AccessRules(users=(TURN.user, "UDENIED")), ["denied"]),
    ],
)
def test_neither_is_what_people_say_who_may_not_ask(
    stage: Stage, rules: AccessRules, told: list[str], *, of_agent: bool
) -> None:
    open_to_all = AccessRules(guests=True)
    access = Access(open_to_all, {DEFAULT_AGENT: rules}) if of_agent else Access(rules)
    stage.chat.people = {"UGUEST": Person(Home("T1"), is_guest=True)}
    conversation = Conversation(stage)
    for number, who in enumerate(["colleague", "denied", "guest"]):
        says(stage, 50 + number, f"I am the {who}", user=f"U{who.upper()}")
    text = conversation.ask(60, access=access).text
    assert re.findall("> I am the (.*)", text) == told


def test_of_many_people_only_those_of_the_newest_messages_are_looked_up(stage: Stage) -> None:
    conversation = Conversation(stage)
    for number in range(30):
        says(stage, 50 + number / 10, f"hello {number}", user=f"U1{number}")
    text = conversation.ask(60).text
    assert re.findall("> hello (.*)", text) == [str(number) for number in range(20, 30)]
    assert len(stage.chat.history("person")) == 10


def test_who_slack_does_not_know_is_not_told_of(stage: Stage) -> None:
    conversation = Conversation(stage)
    says(stage, 50, "who am I?", user="U3")
    says(stage, 51, "I am Bea")
    stage.chat.trouble["person"] = [None, ChatRefused("user_not_found")]
    assert re.findall("> (.*[?a])$", conversation.ask(60).text, re.MULTILINE) == ["I am Bea"]
    assert "user_not_found" in conversation.outcome.detail


def test_if_slack_does_not_say_who_has_written_nothing_of_them_is_told(stage: Stage) -> None:
    conversation = Conversation(stage)
    says(stage, 50, "hello")
    stage.chat.trouble["person"] = [ChatUnavailable("503")]
    assert conversation.ask(60).text == "and tomorrow?"
    assert "503" in conversation.outcome.detail
    assert "> hello\n" in conversation.ask(70).text


def test_who_wrote_only_what_the_agent_knows_is_not_looked_up(stage: Stage) -> None:
    conversation = Conversation(stage)
    stage.history.said[0] = replace(stage.history.said[0], user="U3")
    says(stage, 50, "hello")
    conversation.ask(60)
    assert stage.chat.history("person") == ["U2"]


def test_it_can_be_switched_off(stage: Stage) -> None:
    conversation = Conversation(stage, begins=False)
    says(stage, 50, "we fly to Lima")
    assert conversation.ask(60, options=OFF).text == "and tomorrow?"
    assert stage.history.asked == []
    assert stage.ledger.sessions == {}


# --- a thread of any length, and a Slack in any state -------------------------------------------------------


def test_of_a_thread_of_1200_messages_the_newest_are_told(stage: Stage) -> None:
    conversation = Conversation(stage)
    for number in range(1_200):
        says(stage, 50 + number / 1000, f"message {number}")
    text = conversation.ask(60).text
    assert "> message 1199\n" in text
    assert "> message 0\n" not in text
    assert len(stage.history.asked) == 2
    assert len(text) < 13_000
    assert "of 1200 messages of this thread._" in conversation.last_words()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (ChatRefused("missing_scope", needed="channels:history"), "missing_scope; it takes channels:history"),
        (ChatRefused("not_in_channel"), "not_in_channel"),
        (ChatRateLimited(60), "rate limited"),
    ],
)
def test_if_the_thread_cannot_be_read_the_turn_goes_on_and_the_operator_learns_why(
    stage: Stage, trouble: Exception, said: str
) -> None:
    conversation = Conversation(stage)
    says(stage, 50, "we fly to Lima")
    stage.history.trouble = [trouble]
    assert conversation.ask(60).text == "and tomorrow?"
    assert conversation.outcome.verdict is Verdict.ANSWERED
    assert said in conversation.outcome.detail
    assert conversation.last_words() == "It is sunny."
    assert "Lima" in conversation.ask(70).text  # nothing was lost


def test_an_agent_that_has_forgotten_what_cannot_be_read_is_not_trusted_blindly(stage: Stage) -> None:
    conversation = Conversation(stage, begins=False)
    stage.history.trouble = [ChatRefused("missing_scope", needed="channels:history")]
    conversation.ask(60)
    assert conversation.last_words() == f"It is sunny.\n\n{wording.THREAD_UNREAD}"


@pytest.mark.parametrize("trouble", [ChatRateLimited(2), ChatUnavailable("503")])
def test_a_slack_that_is_in_trouble_for_a_moment_is_asked_again(stage: Stage, trouble: Exception) -> None:
    conversation = Conversation(stage)
    says(stage, 50, "we fly to Lima")
    stage.history.trouble = [trouble]
    assert "Lima" in conversation.ask(60).text


def test_a_slack_that_stays_in_trouble_holds_the_question_up_for_seconds_only(stage: Stage) -> None:
    conversation = Conversation(stage)
    stage.history.trouble = [ChatUnavailable("503")] * 99
    conversation.ask(60)
    assert conversation.outcome.verdict is Verdict.ANSWERED
    assert stage.clock.now() < START + 60 + 16


def test_a_refused_app_is_asked_for_nothing_more(stage: Stage) -> None:
    conversation = Conversation(stage)
    asked = len(conversation.agent.questions)
    stage.history.trouble = [ChatAppRefused("invalid_auth", "store the token")]
    conversation.ask(60)
    assert conversation.outcome.verdict is Verdict.APP_REFUSED
    assert len(conversation.agent.questions) == asked


def test_a_ledger_that_does_not_keep_what_was_seen_costs_no_answer(stage: Stage) -> None:
    conversation = Conversation(stage)
    says(stage, 50, "we fly to Lima")
    stage.ledger.trouble["keep_seen"] = [ServiceUnavailable("down")]
    conversation.ask(60)
    assert conversation.outcome.verdict is Verdict.ANSWERED
    assert "Lima" in conversation.ask(70).text


def test_a_session_is_not_guessed_while_the_ledger_is_silent(stage: Stage) -> None:
    conversation = Conversation(stage)
    conversation.forget(40)
    stage.ledger.trouble["session"] = [ServiceUnavailable("down")]
    assert conversation.ask(60).session_id == f"{TURN.thread_id}:{at(40)}"


# --- forget -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["forget", "Forget"])
def test_forget_begins_a_new_session_and_says_so(stage: Stage, word: str) -> None:
    conversation = Conversation(stage)
    says(stage, 30, "we fly to Lima")
    before = conversation.ask(40).session_id
    asked = len(conversation.agent.questions)
    conversation.forget(50, word)
    assert conversation.last_words() == wording.FORGOTTEN
    assert len(conversation.agent.questions) == asked
    question = conversation.ask(60)
    assert before == TURN.thread_id
    assert question.session_id == f"{TURN.thread_id}:{at(50)}"
    assert question.text == "and tomorrow?"


def test_what_was_forgotten_is_not_told_after_the_idle_time_either(stage: Stage) -> None:
    conversation = Conversation(stage)
    conversation.forget(50)
    says(stage, 55, "we fly to Lima")
    text = conversation.ask(90_000).text
    assert "Lima" in text
    assert TURN.text not in text


def test_a_forget_that_is_delivered_twice_begins_one_session(stage: Stage) -> None:
    conversation = Conversation(stage)
    conversation.forget(50)
    conversation.forget(60)
    stage.ledger.begin_session(*THREAD, began=at(50))
    assert conversation.ask(70).session_id == f"{TURN.thread_id}:{at(60)}"


def test_each_thread_begins_with_nothing_to_forget(stage: Stage) -> None:
    take(stage, turn=replace(TURN, text="forget"))
    assert stage.chat.texts() == [wording.NOTHING_TO_FORGET]
    assert stage.ledger.sessions == {}


def test_of_an_agents_own_memory_forget_says_that_it_stays(stage: Stage) -> None:
    conversation = Conversation(stage, Memory(outlives_session=True))
    conversation.forget(50)
    assert conversation.last_words().endswith(wording.KEPT_ALL_THE_SAME)


def test_where_sessions_are_personal_each_person_forgets_their_own(stage: Stage) -> None:
    conversation = Conversation(stage, Memory(is_personal=True))
    conversation.forget(50, user="U2")
    assert conversation.ask(60, user="U1").session_id == TURN.thread_id
    assert conversation.ask(70, user="U2").session_id == f"{TURN.thread_id}:{at(50)}"


def test_a_question_that_is_asked_again_goes_into_the_session_of_now(stage: Stage) -> None:
    conversation = Conversation(stage, begins=False)
    take(stage, Failed(Failure.INTERNAL, "broke"))
    conversation.forget(50)
    agent = ScriptedAgent(stage.clock, SUNNY)
    take(stage, turn=next_attempt(TURN), agent=agent)
    [question] = agent.questions
    assert (question.session_id, question.text) == (f"{TURN.thread_id}:{at(50)}", TURN.text)


def test_session_ids_are_legal_for_bedrock_whatever_slacks_ids_are() -> None:
    longest = replace(TURN, team="T" * 31, channel="C" * 31, thread_ts="1" * 10 + ".000001")
    assert len(Session(began="1" * 10 + ".000002").id_in(longest.thread_id)) <= 100
