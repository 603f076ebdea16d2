"""A question that is asked over fakes. What `kill` stands for: the process is gone between two calls."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from functions.bridge.admission.access import Access
from functions.bridge.agents.events import File, Finished, TextDelta
from functions.bridge.agents.memory import USUAL, Memory
from functions.bridge.agents.port import Agent, Question
from functions.bridge.agents.routing import DEFAULT_AGENT
from functions.bridge.conversation import ConversationOptions
from functions.bridge.delivery import Delivery
from functions.bridge.replies.options import ReplyOptions
from functions.bridge.turn import Attachment, Turn
from functions.bridge.turns.answer import answer, give_up
from functions.bridge.turns.approvals import ApprovalRules
from functions.bridge.turns.handle import Work, handle
from functions.bridge.turns.outcome import Outcome
from functions.bridge.turns.ports import Ports
from tests.functions.fakes import (
    TURN,
    FakeClock,
    ScriptedAgent,
    ScriptedRun,
    Stage,
    Step,
    command_of,
    next_attempt,
    only,
)

SUNNY: list[Step] = [TextDelta("It is "), TextDelta("sunny."), Finished()]
PARAGRAPHS = [f"Paragraph {number}. " + "word " * 200 for number in range(30)]
THREE_MESSAGES: list[Step] = [TextDelta("\n\n".join(PARAGRAPHS)), Finished()]
# A press of the Retry button: what was asked, the ledger knows.
AGAIN = next_attempt(TURN)
PHOTO = Attachment("photo.png", "image/png", 3, "https://files.slack.com/photo.png")
CHART = File("chart.png", "image/png", b"png")


class NotingAgent(ScriptedAgent):
    """Notes what it is going to say, each time it is asked."""

    def __init__(self, clock: FakeClock, script: Sequence[Step], note: Callable[[str], None]) -> None:
        super().__init__(clock, script)
        self._says = "".join(step.text for step in script if isinstance(step, TextDelta))
        self._note = note

    def ask(self, question: Question) -> ScriptedRun:
        self._note(self._says)
        return super().ask(question)


class Killed(BaseException):
    """The process ends here, as under SIGKILL: nothing after it runs."""


def kill() -> None:
    raise Killed


def slow_down(stage: Stage, port: object, method: str, seconds: float) -> None:
    """From here on each call of a port's method takes so long, and has its effect at the end of that."""
    call = getattr(port, method)

    def slowly(*arguments: Any, **more: Any) -> Any:
        stage.clock.sleep(seconds)
        return call(*arguments, **more)

    setattr(port, method, slowly)


def asking_with(*files: Attachment, text: str = TURN.text) -> Turn:
    return replace(TURN, text=text, files=files)


def take(
    stage: Stage,
    *script: Step,
    turn: Turn = TURN,
    agent: Agent | None = None,
    seconds: float = 290.0,
    options: ReplyOptions = ReplyOptions(),  # noqa: B008 - it is frozen
    access: Access = Access(),  # noqa: B008 - it is frozen
    conversations: ConversationOptions = ConversationOptions(),  # noqa: B008 - it is frozen
    memory: Memory = USUAL,
    approvals: ApprovalRules = ApprovalRules(),  # noqa: B008 - it is frozen
) -> Outcome:
    asked = agent or ScriptedAgent(stage.clock, script or SUNNY)
    work = answering(stage, asked, options, access, conversations, memory, approvals)
    return handle(command_of(turn), stage.delivery(seconds), stage.ports, work)


def answering(
    stage: Stage,
    agent: Agent,
    options: ReplyOptions,
    access: Access = Access(),  # noqa: B008 - it is frozen
    conversations: ConversationOptions = ConversationOptions(),  # noqa: B008 - it is frozen
    memory: Memory = USUAL,
    approvals: ApprovalRules = ApprovalRules(),  # noqa: B008 - it is frozen
) -> Work:
    """What a worker does with a turn."""

    def work(turn: Turn, delivery: Delivery, ports: Ports) -> Outcome:
        return answer(
            turn,
            delivery,
            ports,
            agents=only(agent, memory),
            access=access,
            approval_rules={DEFAULT_AGENT: approvals},
            tools=stage.tools,
            attachments=stage.attachments,
            options=options,
            conversations=conversations,
            margin=10.0,
        )

    return work


def surrender(stage: Stage, turn: Turn = TURN, *, receives: int = 1) -> Outcome:
    """The turn arrives in the dead-letter queue."""
    delivery = replace(stage.delivery(50.0), receive_count=receives)
    return handle(command_of(turn), delivery, stage.ports, give_up)
