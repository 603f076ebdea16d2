"""Plays a turn's actions on an HTTP connection, with their waits and endings."""

import contextlib
import itertools
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulator.agent.actions import (
    Action,
    Collaborate,
    Cut,
    Fail,
    Files,
    Guardrail,
    Lookup,
    Pause,
    Rationale,
    Reset,
    RunCode,
    StopReason,
    Text,
    ToolCall,
    ToolResult,
    ToolUse,
    UnmodelledError,
    Wait,
)
from simulator.agent.wire import Wire

_TOOL_SECONDS = 0.1
_POLL_SECONDS = 0.05  # how often a wait checks whether the turn has to end


class ClientGone(ConnectionError):
    """The client closed the connection."""


class Stopped(ConnectionError):
    """The service stops, or the session is stopped."""


@dataclass
class Player:
    """Plays one turn.

    Attributes:
        connection: the client's socket.
        stopping: returns whether the service or the session stops, which ends every wait.
        time_scale: factor of all waits.
        wire: encodes the actions in the protocol.
        last: the action that was performed last, or is being performed.
        pieces: how many pieces of text have been written.
        first_text_at: when the first of them was, seconds since the epoch.
    """

    connection: socket.socket
    stopping: Callable[[], bool]
    time_scale: float
    wire: Wire
    last: Action | None = None
    pieces: int = 0
    first_text_at: float | None = None

    def play(self, first: Action, others: Iterator[Action]) -> Iterator[bytes]:
        """The bytes of the stream, each message when it is due. `others` are performed as they come.

        Ends normally when the stream ends as streams do, with an exception in it or without; raises
        ConnectionError where the connection has to end instead (HTTP's end of body must not be written then).
        """
        if isinstance(first, Reset):
            yield from self._perform(first)
        if self.wire.streams:
            yield b""  # sends the HTTP headers
        yield from self.wire.begin()
        for action in itertools.chain([first], others):
            yield from self._perform(action)
            if isinstance(action, Fail | UnmodelledError | Pause):
                return
        yield from self._counted(self.wire.rest())
        yield from self.wire.end()

    def _perform(self, action: Action) -> Iterator[bytes]:
        self.last = action
        match action:
            case Wait(seconds):
                self._wait(seconds)
            case Rationale():
                yield from self.wire.rationale(action)
            case ToolUse() | Lookup() | RunCode() | Collaborate():
                yield from self.wire.use(action)
                self._wait(_TOOL_SECONDS)
                yield from self.wire.used(action)
            case ToolCall(tool, parameters):
                yield from self.wire.use(ToolUse(tool, parameters, output=""))
            case ToolResult(use):
                yield from self.wire.used(use)
            case Text():
                yield from self._counted(self.wire.say(action))
            case Files():
                yield from self.wire.files(action)
            case Guardrail():
                yield from self.wire.guardrail(action)
            case StopReason(reason):
                yield from self.wire.stop_reason(reason)
            case Pause(approvals):
                yield from self.wire.pause(approvals)
            case Fail(error, message):
                yield from self.wire.fail(error, message)
            case UnmodelledError(code, message):
                yield from self.wire.fail_unmodelled(code, message)
            case Cut(mid_message):
                if mid_message:
                    yield self.wire.half()
                raise ConnectionAbortedError("cut, as the script says")
            case Reset():
                self._reset()

    def _counted(self, text: Iterator[bytes]) -> Iterator[bytes]:
        for message in text:
            self.pieces += 1
            self.first_text_at = self.first_text_at or time.time()
            yield message

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds * self.time_scale
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_SECONDS))
            if self.stopping():
                raise Stopped
            if self._client_gone():
                raise ClientGone

    def _client_gone(self) -> bool:
        """Whether the client has closed: a client that waits for an answer sends nothing more."""
        try:
            # The plain socket's method also where the connection speaks TLS, which cannot peek.
            return socket.socket.recv(self.connection, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
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
