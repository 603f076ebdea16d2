"""The tools that the bridge runs for an agent: what bridge.toml says of them, and the port to them."""

from dataclasses import dataclass
from typing import Protocol

from functions.bridge.turn import Turn

# Characters. Lambda returns up to 6 MB, and an agent's model reads all of a result in each further call.
LONGEST_RESULT = 20_000


@dataclass(frozen=True)
class Tool:
    """What stands behind the name of a tool: an entry of `[agents.NAME.tools]`.

    Attributes:
        function: the ARN of the Lambda function that is the tool. "" where there is none: a person's decision
            itself is the result, for agents whose tool asks a person.
        approve: whether a person has to approve each call.
    """

    function: str = ""
    approve: bool = True


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool.

    Attributes:
        function: the ARN of its Lambda function.
        name: under which the agent asked for it.
        arguments: a JSON object as text. It may quote the user, so it is never logged.
        turn: whose question it is, and where.
        approved_by: the id of the person who approved it; "" where nobody had to.
    """

    function: str
    name: str
    arguments: str
    turn: Turn
    approved_by: str = ""


@dataclass(frozen=True)
class ToolResult:
    """What came of a call.

    Attributes:
        text: what the tool returned, `LONGEST_RESULT` characters at most, and a word where that is not all;
            or what the agent is told where it has failed.
        has_failed: whether it failed. The text says whether it may have done something by then.
        detail: why it failed, for the operator's log: names of errors, never what was sent or returned.
    """

    text: str
    has_failed: bool = False
    detail: str = ""


class ToolFunctions(Protocol):
    """The Lambda functions that are tools."""

    def call(self, call: ToolCall, *, timeout: float) -> ToolResult:
        """Call the function once, and wait for it `timeout` seconds at most.

        A call that provably did not begin is made again within that time. Raises nothing.
        """
        ...
