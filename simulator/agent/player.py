"""Performs a turn's actions on an HTTP connection: what goes onto the wire, when, and how it ends."""

import contextlib
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from simulator.agent import eventstream, invoke_agent
from simulator.agent.actions import (
    Action,
    Approval,
    Citation,
    Cut,
    Fail,
    File,
    Guardrail,
    Rationale,
    Reset,
    Text,
    ToolUse,
    UnmodelledError,
    Wait,
)

_TOOL_SECONDS = 0.1
_POLL_SECONDS = 0.05  # how soon a client that goes away is noticed while nothing is written


class ClientGone(ConnectionError):
    """The client closed the connection."""


class Stopped(ConnectionError):
    """The service stops."""


@dataclass
class Player:
    """Plays one turn.

    Attributes:
        connection: the client's socket.
        stopping: set when the service stops; every wait ends then.
        time_scale: factor of all waits.
        tracer: makes the trace events; None when the request does not ask for traces.
        streaming: whether each piece of text is sent at once; otherwise one chunk carries them all.
        question: what the traces of the model's input show.
        approval_id: the invocation id of an Approval.
        pieces: how many chunks have been written.
        first_text_at: when the first chunk was written, seconds since the epoch.
    """

    connection: socket.socket
    stopping: threading.Event
    time_scale: float
    tracer: invoke_agent.Tracer | None
    streaming: bool
    question: str
    approval_id: str
    pieces: int = 0
    first_text_at: float | None = None
    _text: bytearray = field(default_factory=bytearray)
    _citations: list[Citation] = field(default_factory=list)

    def play(self, actions: list[Action]) -> Iterator[bytes]:
        """The bytes of the stream, each message when it is due.

        Ends normally when the stream ends as streams do, with an exception in it or without; raises
        ConnectionError where the connection has to end instead (HTTP's end of body must not be written then).
        """
        if actions and isinstance(actions[0], Reset):
            self._reset()
        yield b""  # sends the HTTP headers
        yield from self._model_input()
        for action in actions:
            yield from self._perform(action)
            if isinstance(action, Fail | UnmodelledError | Approval):
                return
        yield from self._finish()

    def _perform(self, action: Action) -> Iterator[bytes]:
        match action:
            case Wait(seconds):
                self._wait(seconds)
            case Rationale(text):
                if self.tracer:
                    yield self.tracer.rationale(text)
            case ToolUse():
                yield from self._use_tool(action)
            case Text():
                yield from self._say(action)
            case File():
                yield invoke_agent.files(action)
            case Guardrail():
                if self.tracer:
                    yield self.tracer.guardrail(action)
            case Approval():
                yield invoke_agent.return_control(action, self.approval_id)
            case Fail(error, message):
                if self.tracer:
                    yield self.tracer.failure(message)
                yield invoke_agent.failure(error, message)
            case UnmodelledError(code, message):
                yield eventstream.error(code, message)
            case Cut(mid_message):
                if mid_message:
                    yield invoke_agent.chunk(b"This will never arrive in whole.")[:60]
                raise ConnectionAbortedError("cut, as the script says")
            case Reset():
                self._reset()

    def _model_input(self) -> Iterator[bytes]:
        if self.tracer:
            prompt = {
                "system": "You are a meteorologist.",
                "messages": [{"content": self.question, "role": "user"}],
            }
            yield self.tracer.model_input(json.dumps(prompt))

    def _use_tool(self, use: ToolUse) -> Iterator[bytes]:
        if self.tracer:
            yield self.tracer.tool_input(use)
        self._wait(_TOOL_SECONDS)
        if self.tracer:
            yield self.tracer.tool_output(use)
        yield from self._model_input()

    def _say(self, text: Text) -> Iterator[bytes]:
        self._text += text.data
        if self.streaming:
            self.pieces += 1
            self.first_text_at = self.first_text_at or time.time()
            yield invoke_agent.chunk(text.data, text.citations)
        else:
            self._citations += text.citations

    def _finish(self) -> Iterator[bytes]:
        if self._text and not self.streaming:
            self.pieces += 1
            self.first_text_at = time.time()
            yield invoke_agent.chunk(bytes(self._text), self._citations)
        if self.tracer:
            yield self.tracer.model_output()
            yield self.tracer.final_response(self._text.decode(errors="replace"))

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds * self.time_scale
        while (left := end - time.monotonic()) > 0:
            if self.stopping.wait(min(left, _POLL_SECONDS)):
                raise Stopped
            if self._client_gone():
                raise ClientGone

    def _client_gone(self) -> bool:
        """Whether the client has closed: a client that waits for an answer sends nothing more."""
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _reset(self) -> None:
        """Sends a TCP RST: closing a socket that lingers for zero seconds does that.

        The HTTP server still holds the descriptor, so it is left with a dead socket in its place.
        """
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        dead, peer = socket.socketpair()
        with contextlib.closing(dead):
            peer.close()
            os.dup2(dead.fileno(), self.connection.fileno())
        raise ConnectionResetError("reset, as the script says")
