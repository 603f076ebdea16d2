"""What an agent is told, as the result of a tool, when a person did not let it use the tool."""

from functions.bridge.agents.events import ToolAnswer


def denial(answer: ToolAnswer) -> str:
    """Says to the agent's model that the tool did not run, and why."""
    said = "The tool was not run, because the use of it was not approved."
    reason = f" The reason given: {answer.reason}" if answer.reason else ""
    return f"{said}{reason} Do not call it again with the same arguments unless the user asks for that."
