"""Questions for a confidential agent, which no other one may get, and of which nobody learns elsewhere."""

from dataclasses import replace

import pytest

from functions.bridge import wording
from functions.bridge.admission.access import OPEN, Access, AccessRules
from functions.bridge.agents.routing import Agents, Choice, ConfiguredAgent, NoChoice, NoChoiceReason
from functions.bridge.conversation import ConversationOptions
from functions.bridge.people import KNOWN_SECONDS, Home, Person
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.turns.answer import answer
from functions.bridge.turns.outcome import Verdict
from tests.functions.bridge.agents.test_routing import ask, turn_of
from tests.functions.bridge.asking import SUNNY
from tests.functions.fakes import START, ScriptedAgent, Stage

PRIVATE, PUBLIC = "C2", "C1"
WRITTEN = [
    "hr-layoffs: who goes?",
    "hr-layoffs : who goes?",
    "  hr-layoffs\u00a0: who goes?",
    "*hr-layoffs*: who goes?",
    "*hr-layoffs:* who goes?",
    "**hr-layoffs**: who goes?",
    "_*hr-layoffs:*_ who goes?",
    "`hr-layoffs`: who goes?",
    '"hr-layoffs": who goes?',
    "\u201chr-layoffs\u201d: who goes?",
    "@hr-layoffs: who goes?",
    "> hr-layoffs: who goes?",
    "[hr-layoffs]: who goes?",
    "HR\u2011Layoffs\uff1a who goes?",
    "hr-layoffs\n:\nwho goes?",
]


def agents(stage: Stage) -> tuple[Agents, dict[str, ScriptedAgent]]:
    scripted = {name: ScriptedAgent(stage.clock, SUNNY) for name in ("default", "hr-layoffs", "ops")}
    kept = {"default": (), "hr-layoffs": (PRIVATE,), "ops": ()}
    return Agents({name: ConfiguredAgent(scripted[name], "", kept[name]) for name in scripted}, {}), scripted


@pytest.mark.parametrize("text", WRITTEN)
def test_an_agents_name_is_recognised_however_it_is_written(stage: Stage, text: str) -> None:
    some, _ = agents(stage)
    choice = some.choose(PRIVATE, text, so_far=None)
    assert isinstance(choice, Choice)
    assert (choice.name, choice.text) == ("hr-layoffs", "who goes?")


@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("so_far", [None, "default", "ops"])
def test_in_another_channel_the_agent_is_neither_asked_nor_revealed(
    stage: Stage, text: str, so_far: str | None
) -> None:
    some, scripted = agents(stage)
    assert some.choose(PUBLIC, text, so_far=so_far) == NoChoice(NoChoiceReason.UNKNOWN)
    if so_far:
        stage.ledger.keep_agent(turn_of(text).thread_id, so_far)
    assert ask(stage, some, turn_of(text)).verdict is Verdict.ANSWERED
    assert [agent.questions for agent in scripted.values()] == [[], [], []]
    [said] = stage.chat.texts()
    assert said.startswith("I'm sorry, there is no agent of that name here, so nobody was asked.")
    assert "layoffs" not in said


@pytest.mark.parametrize(
    "text",
    ["note: what broke?", "what is hr-layoffs: a team?", "https://ops: what", "ops *what* is it: that?"],
)
def test_other_words_in_front_are_a_part_of_the_question(stage: Stage, text: str) -> None:
    some, _ = agents(stage)
    choice = some.choose(PUBLIC, text, so_far=None)
    assert isinstance(choice, Choice)
    assert (choice.name, choice.text) == ("default", text)


def test_what_is_bold_in_the_question_stays_bold(stage: Stage) -> None:
    some, _ = agents(stage)
    choice = some.choose(PUBLIC, "*ops*: *what* broke?", so_far=None)
    assert isinstance(choice, Choice)
    assert choice.text == "*what* broke?"


@pytest.mark.parametrize("text", ["help", "ops:", "what broke?"])
def test_nobody_is_told_of_an_agent_that_they_may_not_ask(stage: Stage, text: str) -> None:
    scripted = ScriptedAgent(stage.clock, SUNNY)
    some = Agents({name: ConfiguredAgent(scripted, f"about {name}") for name in ("hr-layoffs", "ops")}, {})
    outcome = answer(
        turn_of(text),
        stage.delivery(),
        stage.ports,
        agents=some,
        access=Access(agents={"hr-layoffs": replace(OPEN, users=("U9",))}),
        approval_rules={},
        tools=stage.tools,
        attachments=stage.attachments,
        conversations=ConversationOptions(),
        options=ReplyOptions(),
        margin=10.0,
    )
    assert (outcome.verdict, scripted.questions) == (Verdict.ANSWERED, [])
    [said] = stage.chat.texts()
    assert "about ops" in said
    assert "layoffs" not in said


@pytest.mark.parametrize("rules", [replace(OPEN, users=("U9",)), replace(OPEN, guests=False)])
@pytest.mark.parametrize("text", WRITTEN)
@pytest.mark.parametrize("so_far", [None, "ops", "hr-layoffs"])
def test_an_agent_that_a_person_may_not_ask_is_for_them_one_that_does_not_exist(
    stage: Stage, rules: AccessRules, text: str, so_far: str | None
) -> None:
    some, scripted = agents(stage)
    turn = turn_of(text)
    if so_far:
        stage.ledger.keep_agent(turn.thread_id, so_far)
    stage.slots.people["T1:U1"] = (Person(Home("T1"), is_guest=True), START + KNOWN_SECONDS)
    outcome = answer(
        replace(turn, channel=PRIVATE),
        stage.delivery(),
        stage.ports,
        agents=some,
        access=Access(AccessRules(guests=True), agents={"hr-layoffs": rules}),
        approval_rules={},
        tools=stage.tools,
        attachments=stage.attachments,
        conversations=ConversationOptions(),
        options=ReplyOptions(),
        margin=10.0,
    )
    assert (outcome.verdict, outcome.refusal) == (Verdict.ANSWERED, None)
    assert stage.chat.texts() == [
        wording.no_choice(NoChoice(NoChoiceReason.UNKNOWN), {"default": "", "ops": ""})
    ]
    assert stage.chat.history("post_ephemeral") == []
    assert not any(agent.questions for agent in scripted.values())
