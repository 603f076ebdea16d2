"""Which messages of a thread an agent is told, and how they are quoted."""

import re
from dataclasses import replace

import pytest

from functions.bridge import wording
from functions.bridge.agents.failures import Failure
from functions.bridge.agents.memory import USUAL, Memory
from functions.bridge.ledger.session import Session
from functions.bridge.turns.history import Author, Said
from functions.bridge.turns.thread_context import Quotation, Span, quote, span, unknown_to_agent
from tests.functions.fakes import START, TURN

ROOT = TURN.thread_ts
ASKED = replace(TURN, ts="1700000900.000000", user="U1")
WHOLE, SINCE = Span("", is_whole=True), Span("1700000100.000000", is_whole=False)
NEW = Session()
OWN_MEMORY, PERSONAL = Memory(outlives_session=True), Memory(is_personal=True)


def at(seconds: int) -> str:
    return f"{1_700_000_000 + seconds}.000000"


def person(seconds: int, text: str, user: str = "U2", **more: object) -> Said:
    return replace(Said(at(seconds), Author.PERSON, user, text), **more)  # type: ignore[arg-type]


def ours(seconds: int, text: str, question_ts: str = ROOT) -> Said:
    return Said(at(seconds), Author.US, TURN.bot_user, text, question_ts=question_ts)


def told(*messages: Said, wanted: Span = WHOLE, memory: Memory = USUAL, session: Session = NEW) -> list[str]:
    found = unknown_to_agent(
        messages, wanted, turn=ASKED, session=session, memory=memory, may_ask=lambda said: said.team != "T2"
    )
    return [said.text for said in found]


def quoted(*messages: Said, names: dict[str, str] | None = None, most: int = 12_000) -> Quotation:
    return quote(messages, names or {}, turn=ASKED, wanted=WHOLE, most=most)


# --- which part of the thread -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "memory", "expected"),
    [
        (Session(), USUAL, WHOLE),
        (Session(at(100), START + 100), USUAL, SINCE),
        # 900 seconds, less a margin of 30.
        (Session(at(100), START + 31), USUAL, SINCE),
        (Session(at(100), START + 30), USUAL, WHOLE),
        (Session(at(100), START + 30), Memory(idle_seconds=3600), SINCE),
        (Session(), OWN_MEMORY, Span("", is_whole=False)),
        (Session(at(100), START), OWN_MEMORY, SINCE),
        (Session(at(100), START + 100, began=at(200)), USUAL, Span(at(200), is_whole=True)),
        (Session(at(300), START + 300, began=at(200)), USUAL, Span(at(300), is_whole=False)),
        (Session(at(300), START, began=at(200)), USUAL, Span(at(200), is_whole=True)),
        (Session(at(100), START, began=at(200)), OWN_MEMORY, Span(at(200), is_whole=False)),
    ],
)
def test_the_part_that_an_agent_is_told_is_what_it_cannot_remember(
    session: Session, memory: Memory, expected: Span
) -> None:
    assert span(ASKED, session, memory, now=START + 900) == expected


def test_nothing_stands_before_a_threads_first_message() -> None:
    assert span(TURN, Session(), USUAL, now=START) is None


def test_nothing_is_new_to_an_agent_that_has_answered_to_a_later_question() -> None:
    assert span(ASKED, Session(at(950), START + 950), USUAL, now=START + 960) is None


# --- which messages -----------------------------------------------------------------------------------------


def test_an_agent_that_remembers_is_told_what_others_have_said_since() -> None:
    messages = [person(50, "old"), ours(150, "It is sunny."), person(200, "new"), person(950, "later")]
    assert told(*messages, wanted=SINCE) == ["new"]


def test_an_agent_that_has_forgotten_is_told_its_own_answers_too() -> None:
    assert told(person(50, "hot?"), ours(150, "Yes."), person(200, "ok")) == ["hot?", "Yes.", "ok"]


def test_messages_come_in_order_and_once_though_slack_repeats_the_first_one() -> None:
    first = person(0, "first")
    assert told(first, person(100, "a"), first, person(50, "b")) == ["first", "b", "a"]


@pytest.mark.parametrize(
    "said",
    [
        ours(150, "Processing…"),
        ours(150, wording.RETRYING),
        ours(150, wording.explanation(Failure.INTERNAL, reference="01234567")),
        ours(150, wording.missing_files(["chart.png"])),
        ours(150, wording.uncertain_files(["chart.png"])),
        ours(150, "<@U1> The answer to your question is complete.", question_ts=""),
        person(150, "  "),
        person(150, "Let me in!", team="T2"),
    ],
)
def test_placeholders_notices_and_people_who_may_not_ask_are_left_out(said: Said) -> None:
    assert told(person(50, "hot?"), said) == ["hot?"]


def test_what_the_bridge_has_added_to_an_answer_is_not_the_agents() -> None:
    explained = wording.explanation(Failure.CUT_OFF, reference="01234567")
    answer = f"It is sunny.\n\n- hot\n\n{explained}\n\n{wording.read_messages(3, 3)}"
    assert told(ours(150, answer)) == ["It is sunny.\n\n- hot"]


def test_that_somebody_has_to_approve_something_is_not_the_agents() -> None:
    answer = f"I will write to Ann.\n\n{wording.NEEDS_APPROVAL}"
    assert told(ours(150, answer)) == ["I will write to Ann."]


def test_a_warning_of_the_agents_own_is_told() -> None:
    assert told(ours(150, ":warning: A storm is coming.")) == [":warning: A storm is coming."]


def test_a_file_without_a_word_is_told() -> None:
    [only] = unknown_to_agent(
        [person(150, "", files=("plan.pdf",))],
        WHOLE,
        turn=ASKED,
        session=Session(),
        memory=USUAL,
        may_ask=lambda _: True,
    )
    assert only.files == ("plan.pdf",)


def test_where_sessions_are_personal_answers_to_others_are_told() -> None:
    messages = [
        ours(110, "to me", question_ts=at(100)),
        person(150, "and for me?", user="U3"),
        ours(160, "to U3", question_ts=at(150)),
    ]
    session = Session(seen=at(100))
    assert told(*messages, wanted=SINCE, memory=PERSONAL, session=session) == ["and for me?", "to U3"]
    assert told(*messages, wanted=SINCE, session=session) == ["and for me?"]


# --- how they are quoted ------------------------------------------------------------------------------------


def test_a_quotation_says_who_wrote_what_and_when() -> None:
    bot = Said(at(60), Author.BOT, "", "Build 12 failed", name="CI")
    lines = quoted(
        person(0, "Is @U3 in?\nAsk @UBOT.", files=("plan.pdf",)),
        bot,
        ours(120, "No."),
        names={"U2": "Bea", "U3": "Cy"},
    ).text.splitlines()
    assert lines[2:-1] == [
        '> "Bea", 2023-11-14 22:13 UTC:',
        '> Is @"Cy" in?',
        '> Ask @"you".',
        '> (files: "plan.pdf")',
        "> ",
        '> "CI" (a bot), 2023-11-14 22:14 UTC:',
        "> Build 12 failed",
        "> ",
        "> You, 2023-11-14 22:15 UTC:",
        "> No.",
        "> ",
    ]


def test_the_question_comes_after_the_quotation() -> None:
    text = quoted(person(0, "hot")).before("And tomorrow?", asker="Ann")
    assert re.search(
        r'\n> hot\n> \n\[end of quotation [0-9a-f]{16}\]\n\n"Ann" says now:\nAnd tomorrow\?$', text
    )


def test_the_end_depends_on_all_that_is_quoted() -> None:
    ends = {quoted(person(0, text)).text.splitlines()[-1] for text in ("a", "b", "c")}
    assert len(ends) == 3


def test_the_newest_messages_are_told_and_always_the_first_one() -> None:
    first = person(0, "message 0", ts=ROOT)
    messages = [first, *(person(number, f"message {number}") for number in range(1, 200))]
    quotation = quoted(*messages, most=1_000)
    assert "> message 0\n" in quotation.text
    assert f"[{200 - quotation.told} older messages are left out here]" in quotation.text
    assert [f"message {number}" in quotation.text for number in (198, 199)] == [True, True]
    assert "message 100" not in quotation.text
    assert (quotation.found, 10 < quotation.told < 30) == (200, True)


@pytest.mark.parametrize("most", [1_000, 12_000])
def test_no_message_takes_the_room_of_all_others(most: int) -> None:
    messages = [person(number, str(number % 10) * 50_000) for number in range(9)]
    quotation = quoted(*messages, most=most)
    assert quotation.told >= 2
    assert len(quotation.text) < most + 600
    assert "… (cut)" in quotation.text
