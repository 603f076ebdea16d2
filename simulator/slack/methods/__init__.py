"""The methods of the Web API, one module per family."""

from simulator.slack.methods import (
    assistant,
    chat,
    conversations,
    files,
    identity,
    reactions,
    sessions,
    streaming,
    usergroups,
)
from simulator.slack.methods.call import Call, Method

METHODS: dict[str, Method] = {
    **assistant.METHODS,
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **identity.METHODS,
    **reactions.METHODS,
    **sessions.METHODS,
    **streaming.METHODS,
    **usergroups.METHODS,
}

__all__ = ["METHODS", "Call", "Method"]
