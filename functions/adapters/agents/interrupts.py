"""Interrupts of agents on AgentCore's runtime, as tool requests, and the answers to them: no I/O.

An agent's own code decides what an interrupt looks like and how it is answered. Three protocols are known:

- AG-UI: RUN_FINISHED lists interrupts, and a new run has `resume`. docs.ag-ui.com/concepts/interrupts
- Strands, handed on as it is: `tool_interrupt_event`, or `interrupts` in the result, and the next prompt is a
  list of `interruptResponse` alone. strandsagents.com/docs/user-guide/concepts/interrupts
- Welt, another bridge from Slack to AgentCore: `{"interrupt": …}`, and a payload with `interrupt_responses`.

All three want the answers to all interrupts of a run together.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from functions.adapters.agents.deltas import encodable
from functions.bridge.agents.events import ToolAnswer, ToolRequest, Wanted

# The members of a reason that ask Welt for widgets: github.com/iwamot/welt/blob/main/docs/wire.md
_YES_AND_NO = {"approve", "reject"}
_WIDGETS = {*_YES_AND_NO, "options", "input"}
# The interrupt of Strands' own tool that asks the user a question, whose answer is any text.
_QUESTION = "strands:handoff-to-user"


class _Protocol(StrEnum):
    AG_UI = "ag-ui"
    STRANDS = "strands"
    WELT = "welt"


class Interrupts:
    """The interrupts of one run, each once, in order."""

    def __init__(self) -> None:
        self._found: dict[str, ToolRequest | None] = {}

    def add(self, request: ToolRequest | None, *, under: str) -> None:
        """Note the interrupt with the id `under`. `request`: None where no yes or no answers it."""
        self._found.setdefault(under, request)

    def clear(self) -> None:
        self._found.clear()

    def __bool__(self) -> bool:
        return bool(self._found)

    def requests(self) -> list[ToolRequest]:
        """What a person can decide: all interrupts, or none, because all are answered together."""
        known = [request for request in self._found.values() if request is not None]
        return known if len(known) == len(self._found) else []


def interrupts_in(item: Mapping[str, Any]) -> Iterator[tuple[str, ToolRequest | None]]:
    """The interrupts of Strands or Welt in an object of a response, with their ids. See `Interrupts.add`."""
    stopped = _object(item, "tool_interrupt_event")
    for interrupt in _list(stopped, "interrupts"):
        yield from _interrupt(interrupt, _Protocol.STRANDS, tool=_object(stopped, "tool_use"))
    for result in (item, _object(item, "result")):
        for interrupt in _list(result, "interrupts") if result.get("stop_reason") == "interrupt" else ():
            yield from _interrupt(interrupt, _Protocol.STRANDS, tool={})
    yield from _interrupt(item.get("interrupt"), _Protocol.WELT, tool={})


def ag_ui_interrupt(interrupt: Mapping[str, Any], call: tuple[str, str] | None) -> ToolRequest | None:
    """An interrupt of AG-UI as a request.

    None where no yes or no answers it, or nothing says what it is about.

    Args:
        call: the name and the arguments (JSON text) of the tool call that it is about, where that is known.
    """
    form = _form(interrupt)
    metadata = _object(interrupt, "metadata")
    said, facts = _said(metadata.get("reason"))
    message = "\n".join(dict.fromkeys(filter(None, [_text(interrupt, "message"), said])))
    # A call of an earlier run is not told of again: ag-ui-strands repeats it here.
    given = metadata.get("tool_input")
    told = facts | (given if isinstance(given, dict) else {} if given is None else {"tool_input": given})
    name, arguments = call or (_text(metadata, "tool_name") or _text(interrupt, "reason"), "{}")
    known = json.loads(arguments)
    if told.keys() - known.keys():
        arguments = _json(told | known)
    under = _text(interrupt, "id")
    if form is None or not (under and (call or message or told)):
        return None
    context = json.dumps({"protocol": _Protocol.AG_UI, **form})
    return ToolRequest(under, name, arguments, Wanted.CONSENT, context, message)


def resumption(answers: Sequence[ToolAnswer]) -> dict[str, Any]:
    """The members of the payload that answer all interrupts of a run.

    `decisions` has them in one form for all protocols, with the reasons. Strands' and Welt's own answers have
    none: they are plain true or false, because agents take any object for a yes.
    """
    decisions = [
        {
            "id": answer.request.call_id,
            "approved": answer.is_approved,
            **({"reason": answer.reason} if answer.reason else {}),
        }
        for answer in answers
    ]
    return {**_ANSWERS[_context(answers[0])["protocol"]](answers), "decisions": decisions}


def _interrupt(
    interrupt: object, protocol: _Protocol, *, tool: Mapping[str, Any]
) -> Iterator[tuple[str, ToolRequest | None]]:
    if not (isinstance(interrupt, dict) and (under := _text(interrupt, "id"))):
        return
    reason = interrupt.get("reason")
    message, facts = _said(reason)
    name = _text(tool, "name") or _text(interrupt, "name")
    arguments = _json({**facts, **_object(tool, "input")})
    context = json.dumps({"protocol": protocol})
    request = ToolRequest(under, name, arguments, Wanted.CONSENT, context, message)
    takes_yes_or_no = _takes_yes_or_no(reason) and interrupt.get("name") != _QUESTION
    yield under, request if takes_yes_or_no else None


def _said(reason: object) -> tuple[str, dict[str, Any]]:
    """What an agent says in a reason, and the facts beside it, by name."""
    if isinstance(reason, dict):
        message = _text(reason, "message")
        facts = {name: fact for name, fact in reason.items() if not (message and name == "message")}
        return message, {} if _has_widgets(reason) else facts
    if isinstance(reason, str):
        return encodable(reason), {}
    return "", {} if reason is None else {"reason": reason}


def _takes_yes_or_no(reason: object) -> bool:
    """Whether yes or no answers an interrupt with this reason: widgets may ask for other things."""
    return not (isinstance(reason, dict) and _has_widgets(reason)) or bool(reason.keys() & _YES_AND_NO)


def _has_widgets(reason: Mapping[str, Any]) -> bool:
    """Whether a reason has the form in which Welt is asked for widgets, and nothing beside it.

    The names alone do not tell: a reason may have the input of a tool under "input".
    """
    options, field = reason.get("options", []), reason.get("input", {})
    return (
        {"message"} < reason.keys() <= {"message", *_WIDGETS}
        and isinstance(options, list)
        and all(isinstance(option, dict) and "value" in option for option in options)
        and isinstance(field, dict)
        and field.keys() <= {"label", "multiline"}
    )


def _form(interrupt: Mapping[str, Any]) -> dict[str, bool] | None:
    """How AG-UI wants a yes or no: as an object, or plain; with a reason, or without. None: it wants more."""
    schema, reason = _object(interrupt, "responseSchema"), interrupt.get("reason")
    if not schema:
        is_object = reason == "tool_call"
        return None if reason == "input_required" else {"is_object": is_object, "takes_reason": is_object}
    if schema.get("type") == "boolean":
        return {"is_object": False, "takes_reason": False}
    properties = _object(schema, "properties")
    if _object(properties, "approved").get("type") != "boolean" or any(
        name != "approved" for name in _list(schema, "required")
    ):
        return None
    return {
        "is_object": True,
        "takes_reason": "reason" in properties or schema.get("additionalProperties") is not False,
    }


def _ag_ui_answers(answers: Sequence[ToolAnswer]) -> dict[str, Any]:
    # The agent has the question already, and takes no other message while interrupts are open.
    return {"resume": [_resume_entry(answer) for answer in answers], "messages": []}


def _resume_entry(answer: ToolAnswer) -> dict[str, Any]:
    form = _context(answer)
    payload: object = answer.is_approved
    if form["is_object"]:
        reason = answer.reason if form["takes_reason"] else ""
        payload = {"approved": answer.is_approved, **({"reason": reason} if reason else {})}
    # A denial is an answer: "cancelled" would mean that nobody gave one.
    return {"interruptId": answer.request.call_id, "status": "resolved", "payload": payload}


def _strands_answers(answers: Sequence[ToolAnswer]) -> dict[str, Any]:
    return {
        "prompt": [
            {"interruptResponse": {"interruptId": answer.request.call_id, "response": answer.is_approved}}
            for answer in answers
        ]
    }


def _welt_answers(answers: Sequence[ToolAnswer]) -> dict[str, Any]:
    return {
        "interrupt_responses": {
            answer.request.call_id: {"value": answer.is_approved, "source": "option"} for answer in answers
        }
    }


_ANSWERS = {
    _Protocol.AG_UI: _ag_ui_answers,
    _Protocol.STRANDS: _strands_answers,
    _Protocol.WELT: _welt_answers,
}


def _context(answer: ToolAnswer) -> dict[str, Any]:
    context: dict[str, Any] = json.loads(answer.request.context)
    return context


def _json(value: Mapping[str, Any]) -> str:
    return encodable(json.dumps(value, ensure_ascii=False))


def _object(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return encodable(found) if isinstance(found, str) else ""
