"""A turn as InvokeAgent's event stream."""

import json
from collections.abc import Iterator, Sequence

from simulator.agent import eventstream, invoke_agent
from simulator.agent.actions import (
    Approval,
    Citation,
    Collaborate,
    Files,
    Guardrail,
    Rationale,
    Text,
)
from simulator.agent.wire import Tool, Wire


class InvokeAgentWire(Wire):
    """See `Wire`.

    Args:
        tracer: makes the trace events; None when the request does not ask for traces.
        streaming: whether each piece of text is sent at once; otherwise one chunk carries them all.
        question: what the traces of the model's input show.
    """

    content_type = eventstream.CONTENT_TYPE

    def __init__(self, *, tracer: invoke_agent.Tracer | None, streaming: bool, question: str) -> None:
        self._tracer = tracer
        self._streaming = streaming
        self._question = question
        self._text = bytearray()
        self._citations: list[Citation] = []
        self._model_works = False

    def begin(self) -> Iterator[bytes]:
        yield from self._model_input()

    def rationale(self, rationale: Rationale) -> Iterator[bytes]:
        if self._tracer:
            yield from self._model_output()
            yield self._tracer.rationale(rationale.text)

    def use(self, tool: Tool) -> Iterator[bytes]:
        if self._tracer:
            yield from self._model_output()
            yield self._tracer.call(tool)
            if isinstance(tool, Collaborate):
                yield from _steps(self._tracer.of_collaborator(tool.name), tool)

    def used(self, tool: Tool) -> Iterator[bytes]:
        if self._tracer:
            yield self._tracer.result(tool)
        yield from self._model_input()

    def say(self, text: Text) -> Iterator[bytes]:
        self._text += text.data
        if self._streaming:
            yield invoke_agent.chunk(text.data, text.citations)
        else:
            self._citations += text.citations

    def files(self, made: Files) -> Iterator[bytes]:
        yield invoke_agent.files(made)

    def guardrail(self, guardrail: Guardrail) -> Iterator[bytes]:
        if self._tracer:
            yield self._tracer.guardrail(guardrail)

    def pause(self, approvals: Sequence[Approval]) -> Iterator[bytes]:
        yield from self.rest()
        yield from self._model_output()
        yield invoke_agent.return_control(approvals)

    def fail(self, error: str, message: str) -> Iterator[bytes]:
        if self._tracer:
            yield self._tracer.failure(message)
        yield invoke_agent.failure(error, message)

    def fail_unmodelled(self, code: str, message: str) -> Iterator[bytes]:
        yield eventstream.error(code, message)

    def half(self) -> bytes:
        return invoke_agent.chunk(b"This will never arrive in whole.")[:60]

    def rest(self) -> Iterator[bytes]:
        if self._text and not self._streaming:
            yield invoke_agent.chunk(bytes(self._text), self._citations)

    def end(self) -> Iterator[bytes]:
        if self._tracer:
            yield from self._model_output()
            yield self._tracer.final_response(self._text.decode(errors="replace"))

    def _model_input(self) -> Iterator[bytes]:
        if self._tracer:
            prompt = {
                "system": "You are a meteorologist.",
                "messages": [{"content": self._question, "role": "user"}],
            }
            yield self._tracer.model_input(json.dumps(prompt))
            self._model_works = True

    def _model_output(self) -> Iterator[bytes]:
        """Once for each call of the model, before what comes of it."""
        if self._tracer and self._model_works:
            yield self._tracer.model_output()
            self._model_works = False


def _steps(tracer: invoke_agent.Tracer, work: Collaborate) -> Iterator[bytes]:
    yield tracer.model_input(json.dumps({"messages": [{"content": work.task, "role": "user"}]}))
    yield tracer.model_output()
    for step in work.steps:
        if isinstance(step, Rationale):
            yield tracer.rationale(step.text)
        else:
            yield tracer.call(step)
            yield tracer.result(step)
    yield tracer.final_response(work.output)
