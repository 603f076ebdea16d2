"""Answers to the tool requests of Amazon Bedrock Agents, as InvokeAgent takes them: no I/O.

docs.aws.amazon.com/bedrock/latest/userguide/agents-returncontrol.html
docs.aws.amazon.com/bedrock/latest/userguide/agents-userconfirmation.html
"""

import json
from collections.abc import Sequence
from typing import Any

from functions.adapters.agents.denials import denial
from functions.bridge.agents.events import ToolAnswer, Wanted

# The content type of a body, by the form of the answer. The guide's example of an API has JSON's, although
# the API's reference names only TEXT; a function's is TEXT.
_CONTENT_TYPES = {"functionResult": "TEXT", "apiResult": "application/json"}


def results(answers: Sequence[ToolAnswer]) -> list[Any]:
    """`sessionState.returnControlInvocationResults`: the answers to all requests of one `returnControl`."""
    return [_result(answer) for answer in answers]


def may_stream(answers: Sequence[ToolAnswer]) -> bool:
    """Whether the agent's role let it stream before it asked."""
    return all(json.loads(answer.request.context)["streaming"] for answer in answers)


def _result(answer: ToolAnswer) -> dict[str, Any]:
    """The form, and in it what became of the tool."""
    context = json.loads(answer.request.context)
    form = next(form for form in _CONTENT_TYPES if form in context)
    told = context[form]
    if answer.request.wanted is not Wanted.RESULT:
        told["confirmationState"] = "CONFIRM" if answer.is_approved else "DENY"
    body = answer.result if answer.is_approved else denial(answer)
    if body is not None:
        told["responseBody"] = {_CONTENT_TYPES[form]: {"body": body}}
    if answer.has_failed:
        # The model reads the body and may explain; with FAILURE the request would fail as a whole.
        told["responseState"] = "REPROMPT"
    return {form: told}
