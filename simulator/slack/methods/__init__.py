"""The methods of the Web API, one module per family."""

from simulator.slack.methods import chat, conversations, identity, reactions
from simulator.slack.methods.call import Call, Method

METHODS: dict[str, Method] = {
    **chat.METHODS,
    **conversations.METHODS,
    **identity.METHODS,
    **reactions.METHODS,
}

__all__ = ["METHODS", "Call", "Method"]
