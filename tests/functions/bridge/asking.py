"""A question that is asked over fakes. What `kill` stands for: the process is gone between two calls."""

from functions.bridge.agent import Finished, TextDelta
from functions.bridge.answer import answer
from functions.bridge.manner import Manner
from functions.bridge.outcome import Outcome
from functions.bridge.turn import Turn
from tests.functions.fakes import TURN, ScriptedAgent, Stage, Step, only

SUNNY: list[Step] = [TextDelta("It is "), TextDelta("sunny."), Finished()]


class Killed(BaseException):
    """The process ends here, as under SIGKILL: nothing after it runs."""


def kill() -> None:
    raise Killed


def take(
    stage: Stage,
    *script: Step,
    turn: Turn = TURN,
    agent: ScriptedAgent | None = None,
    seconds: float = 290.0,
    manner: Manner = Manner(),  # noqa: B008 - it is frozen
) -> Outcome:
    return answer(
        turn,
        stage.delivery(seconds),
        stage.ports,
        agents=only(agent or ScriptedAgent(stage.clock, script or SUNNY)),
        attachments=stage.attachments,
        manner=manner,
        margin=10.0,
    )
