"""The tools that the bridge runs for an agent: what bridge.toml says of them."""

from dataclasses import dataclass


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
