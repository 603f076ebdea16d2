"""Which agent answers: rather none than another one than was meant."""

import pytest

from functions.bridge.admission.access import Access
from functions.bridge.agents.routing import Agents, Choice, ConfiguredAgent, NoChoice, NoChoiceReason
from functions.bridge.conversation import ConversationOptions
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.turn import Attachment, Turn
from functions.bridge.turns.answer import answer
from functions.bridge.turns.outcome import Outcome, Verdict
from tests.functions.bridge.asking import SUNNY
from tests.functions.fakes import TURN, ScriptedAgent, Stage

ANYWHERE, FINANCE, DIRECT = "C1", "C2", "D1"


def agents(
    stage: Stage, *, routes: dict[str, str] | None = None, **channels: tuple[str, ...]
) -> tuple[Agents, dict[str, ScriptedAgent]]:
    """Agents by name, each with the channels to which it is kept; () is everywhere."""
    scripted = {name: ScriptedAgent(stage.clock, SUNNY) for name in channels}
    listed = {name: ConfiguredAgent(scripted[name], f"about {name}", kept) for name, kept in channels.items()}
    return Agents(listed, routes or {}), scripted


def chosen(choice: Choice | NoChoice) -> tuple[str, str] | tuple[NoChoiceReason, str]:
    return (choice.name, choice.text) if isinstance(choice, Choice) else (choice.why, choice.name)


@pytest.mark.parametrize(
    ("channel", "text", "expected"),
    [
        (ANYWHERE, "what did we spend?", ("default", "what did we spend?")),
        (ANYWHERE, "ops: what broke?", ("ops", "what broke?")),
        (ANYWHERE, "OPS:what broke?", ("ops", "what broke?")),
        (ANYWHERE, "ops:", ("ops", "")),
        (ANYWHERE, "note: what broke?", ("default", "note: what broke?")),
        (ANYWHERE, "https://ops: what", ("default", "https://ops: what")),
        (ANYWHERE, "finops: what did Ann earn?", (NoChoiceReason.UNKNOWN, "")),
        (FINANCE, "finops: what did Ann earn?", ("finops", "what did Ann earn?")),
        (FINANCE, "what did Ann earn?", ("finops", "what did Ann earn?")),
        (DIRECT, "what broke?", ("ops", "what broke?")),
        (DIRECT, "finops: what did I earn?", (NoChoiceReason.UNKNOWN, "")),
        (DIRECT, "direct: hello", ("direct", "hello")),
        (ANYWHERE, "direct: hello", (NoChoiceReason.UNKNOWN, "")),
    ],
)
def test_the_named_agent_comes_first_then_the_channels_then_the_default(
    stage: Stage, channel: str, text: str, expected: tuple[str, str]
) -> None:
    some, _ = agents(
        stage, routes={FINANCE: "finops", "dm": "ops"}, default=(), ops=(), finops=(FINANCE,), direct=("dm",)
    )
    assert chosen(some.choose(channel, text, so_far=None)) == expected


@pytest.mark.parametrize(
    ("text", "so_far", "expected"),
    [
        ("and now?", "ops", ("ops", "and now?")),
        ("ops: and now?", "ops", ("ops", "and now?")),
        ("default: and now?", "ops", (NoChoiceReason.ANOTHER_THREAD, "ops")),
        ("and now?", "finops", (NoChoiceReason.GONE, "finops")),
        ("and now?", "removed", (NoChoiceReason.GONE, "removed")),
    ],
)
def test_a_thread_stays_with_its_agent(
    stage: Stage, text: str, so_far: str, expected: tuple[str, str]
) -> None:
    some, _ = agents(stage, default=(), ops=(), finops=(FINANCE,))
    assert chosen(some.choose(ANYWHERE, text, so_far=so_far)) == expected


def test_where_the_default_agent_may_not_be_asked_the_only_other_one_answers(stage: Stage) -> None:
    some, _ = agents(stage, default=(FINANCE,), ops=())
    assert chosen(some.choose(ANYWHERE, "what broke?", so_far=None)) == ("ops", "what broke?")


def test_where_several_others_may_be_asked_a_name_is_wanted(stage: Stage) -> None:
    some, _ = agents(stage, default=(FINANCE,), ops=(), legal=())
    assert chosen(some.choose(ANYWHERE, "what broke?", so_far=None)) == (NoChoiceReason.UNNAMED, "")
    assert chosen(some.choose(DIRECT, "ops: what broke?", so_far=None)) == ("ops", "what broke?")


def test_the_only_agent_is_not_called_by_name(stage: Stage) -> None:
    some, _ = agents(stage, default=())
    assert chosen(some.choose(ANYWHERE, "default: x", so_far=None)) == ("default", "default: x")


# --- in a turn ----------------------------------------------------------------------------------------------


def ask(stage: Stage, some: Agents, turn: Turn = TURN) -> Outcome:
    return answer(
        turn,
        stage.delivery(),
        stage.ports,
        agents=some,
        access=Access(),
        approval_rules={},
        tools=stage.tools,
        attachments=stage.attachments,
        options=ReplyOptions(),
        conversations=ConversationOptions(),
        margin=10.0,
    )


def turn_of(text: str, *, ts: str = TURN.ts, files: tuple[Attachment, ...] = ()) -> Turn:
    return Turn("T1", ANYWHERE, ts, TURN.thread_ts, "U1", "UBOT", text, files=files)


def test_a_question_for_an_agent_that_is_not_here_reaches_nobody(stage: Stage) -> None:
    some, scripted = agents(stage, default=(), finops=(FINANCE,))
    assert ask(stage, some, turn_of("finops: what did Ann earn?")).verdict is Verdict.ANSWERED
    assert all(agent.questions == [] for agent in scripted.values())
    [text] = stage.chat.texts()
    assert text.startswith("I'm sorry, there is no agent of that name here, so nobody was asked.")
    assert "finops" not in text
    assert "- **default**: about default" in text


def test_a_thread_that_began_with_the_only_agent_stays_with_it_when_another_comes(stage: Stage) -> None:
    one, scripted = agents(stage, default=())
    ask(stage, one)
    two, others = agents(stage, routes={ANYWHERE: "finops"}, default=(), finops=())
    ask(stage, two, turn_of("and tomorrow?", ts="1700000100.000100"))
    assert [len(agent.questions) for agent in others.values()] == [1, 0]
    assert len(scripted["default"].questions) == 1


def test_a_thread_whose_agent_is_removed_gets_no_other_agent(stage: Stage) -> None:
    two, scripted = agents(stage, default=(), finops=())
    ask(stage, two, turn_of("finops: what did we spend?"))
    one, _ = agents(stage, default=(), ops=())
    ask(stage, one, turn_of("and before?", ts="1700000100.000100"))
    assert "**finops**, with which this thread began, cannot be asked here" in stage.chat.texts()[-1]
    ask(stage, two, turn_of("and before?", ts="1700000200.000100"))
    assert [question.text for question in scripted["finops"].questions] == [
        "what did we spend?",
        "and before?",
    ]


def test_a_name_without_a_question_gets_help(stage: Stage) -> None:
    some, scripted = agents(stage, default=(), finops=())
    ask(stage, some, turn_of("finops:"))
    assert "- **finops**: about finops" in stage.chat.texts()[0]
    assert scripted["finops"].questions == []


def test_help_names_the_only_agent_that_is_here_when_there_are_others(stage: Stage) -> None:
    some, _ = agents(stage, default=(FINANCE,), ops=())
    ask(stage, some, turn_of("help"))
    assert "- **ops**: about ops" in stage.chat.texts()[0]
    assert "default" not in stage.chat.texts()[0]
