"""A fake of the services that run agents, over HTTP: the agent behind all of them is the local meteorologist.

    POST /agents/{id}/agentAliases/{id}/sessions/{id}/text    InvokeAgent of `bedrock-agent-runtime`
    POST /harnesses/invoke                                    InvokeHarness of `bedrock-agentcore`
    POST /runtimes/{arn}/invocations                          InvokeAgentRuntime of `bedrock-agentcore`
    POST /runtimes/{arn}/stopruntimesession                   StopRuntimeSession of `bedrock-agentcore`
    GET  …                                                    see `control_plane`

Left out: who may call (any signature of the right form passes), memory, expiry of sessions, what is in files.
"""

import json
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from simulator.agent import agentcore, invoke_agent, model
from simulator.agent.actions import Action, Cut, Fail, Pause, Refuse, Reset, Text, UnmodelledError, Wait
from simulator.agent.control_plane import ControlPlane
from simulator.agent.harness_wire import HarnessWire
from simulator.agent.invoke_agent_wire import InvokeAgentWire
from simulator.agent.meteorologist import answer
from simulator.agent.player import ClientGone, Player, Stopped
from simulator.agent.request import AgentError, AgentRequest, Decision, InputFile
from simulator.agent.runtime_wire import WIRES
from simulator.agent.scripts import (
    BY_NAME,
    STREAMING_DENIED,
    Script,
    script_for,
)
from simulator.agent.tools import Tools
from simulator.agent.weather import City, city_named
from simulator.agent.wire import Wire
from simulator.http import HttpServer
from simulator.journal import Journal
from simulator.tap import Call, Tap, sender

AGENT_ID = "METEOAGENT"
ALIAS_ID = "TSTALIASID"  # the draft; any other alias of ten letters and digits is taken too

# Strands raises TypeError, AG-UI's contract wants RUN_ERROR: docs.ag-ui.com/concepts/interrupts
INTERRUPT_PENDING = "The agent waits for the answer to an interrupt, and takes no other message until then."
SESSION_ENDED = "Session is terminated as 'endSession' flag is set in request."

_MAX_QUESTION_IN_JOURNAL = 500
_SESSION_HEADER = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"


@dataclass
class Invocation:
    """One run of the agent. Requests that were refused with an HTTP error are no runs.

    Attributes:
        operation: of which API, e.g. "InvokeHarness".
        agent: the ARN of a harness or runtime; "agent/alias" in Bedrock.
        attributes: what the request says about who asks.
        decisions: that it took, on what it had asked for; () where it refused to.
        started_at: seconds since the epoch.
        script: name of the script that was played; "resumed" where one goes on after a pause.
        limits: that the request sets.
        ended: None while it runs; then "complete", "cut", "reset", "client gone", "stopped" (with the service
            or its session), "approval" (`Pause`) or the name of the exception in the stream.
        pieces: how many chunks of text were written.
        first_text_at: when the first of them was, seconds since the epoch; known once the run has ended.
    """

    number: int
    operation: str
    agent: str
    session_id: str
    input_text: str
    attributes: dict[str, str]
    limits: dict[str, int]
    files: tuple[InputFile, ...]
    trace: bool
    streaming: bool
    script: str
    started_at: float
    decisions: tuple[Decision, ...] = ()
    ended: str | None = None
    pieces: int = 0
    first_text_at: float | None = None


@dataclass
class _Session:
    """What one session remembers. `pause`: what it waits for a person's decision on."""

    place: City | None = None
    pause: Pause | None = None
    busy: bool = False
    stopped: bool = False


@dataclass(frozen=True)
class _Turn:
    """What a request leads to.

    Attributes:
        place: what the session remembers once it is done.
        decisions: that the agent takes, once.
        pause: what the session waits for meanwhile.
    """

    script: Script
    first: Action
    others: Iterator[Action]
    place: City | None
    decisions: tuple[Decision, ...] = ()
    pause: Pause | None = None


def _thread_and_question(text: str) -> tuple[str, str]:
    """What a thread said before a question, and the question, which a model would tell apart by itself."""
    quotation, end, question = text.partition("\n[end of quotation ")
    return (quotation, question.partition("\n")[2]) if end else ("", text)


class AgentService:
    """Serves the fake on 127.0.0.1.

    `url` is what `AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME` and `AWS_ENDPOINT_URL_BEDROCK_AGENTCORE` hold.

    Args:
        tap: sees every call of an agent, also one that is refused.
        server: what serves it.

    Attributes:
        invocations: the runs so far, oldest first.
        stopped_sessions: the ids of those that somebody had ended.
        streaming_allowed: whether the role of the agent in Bedrock may stream. When it may not, a turn that
            asks for streaming ends with accessDeniedException in the stream.
        time_scale: factor of all waits; 0 plays everything at once.
        control_plane: says which agents are there.
        tools: of the meteorologist; None takes `ComputedTools`.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        port: int = 0,
        time_scale: float = 1.0,
        tap: Tap | None = None,
        server: type[HttpServer] = HttpServer,
    ) -> None:
        self.invocations: list[Invocation] = []
        self.stopped_sessions: list[str] = []
        self.streaming_allowed = True
        self.time_scale = time_scale
        self.tools: Tools | None = None
        self._journal = journal
        self._sessions: dict[tuple[str, str], _Session] = {}
        self._forced: deque[Script] = deque()
        self._refused_stops: deque[str] = deque()
        self._lock = threading.Condition()
        self._stopping = threading.Event()
        self.control_plane = ControlPlane(AGENT_ID)
        self._server = server((tap or Tap()).on(self._app(), _call), port)
        self.url = self._server.url

    def start(self) -> None:
        self._server.start()

    def stop(self) -> None:
        """Ends the server; streams that are still running are cut."""
        self._stopping.set()
        self._server.stop()
        with self._lock:
            self._lock.wait_for(lambda: all(run.ended for run in self.invocations), timeout=5)

    def force(self, script: str, times: int = 1) -> None:
        """Plays the next `times` requests as the script of that name, whatever they say.

        Raises KeyError for an unknown name.
        """
        with self._lock:
            self._forced.extend([BY_NAME[script]] * times)

    def refuse_stops(self, *errors: str) -> None:
        """Refuses the next requests to stop a session with these errors of `agentcore.ERRORS`."""
        with self._lock:
            self._refused_stops.extend(errors)

    def _app(self) -> Flask:
        app = Flask("simulator.agent")
        path = "/agents/<agent_id>/agentAliases/<alias_id>/sessions/<session_id>/text"
        app.add_url_rule(path, view_func=self._invoke_agent, methods=["POST"])
        app.add_url_rule("/harnesses/invoke", view_func=self._invoke_harness, methods=["POST"])
        path = "/runtimes/<path:arn>/invocations"
        app.add_url_rule(path, view_func=self._invoke_agent_runtime, methods=["POST"])
        path = "/runtimes/<path:arn>/stopruntimesession"
        app.add_url_rule(path, view_func=self._stop_runtime_session, methods=["POST"])
        app.register_blueprint(self.control_plane.blueprint)
        app.register_error_handler(AgentError, self._refuse)
        app.register_error_handler(HTTPException, _unknown_operation)
        return app

    def _invoke_agent(self, agent_id: str, alias_id: str, session_id: str) -> Response:
        model.check_signature(request.headers.get("Authorization"), "bedrock")
        uri = {"agentId": agent_id, "agentAliasId": alias_id, "sessionId": session_id}
        asked = invoke_agent.read(uri=uri, headers=request.headers, body=request.get_data())
        if agent_id != AGENT_ID or not re.fullmatch("[0-9a-zA-Z]{10}", alias_id):
            raise AgentError(
                "resourceNotFoundException", f"Failed to retrieve agent alias {alias_id} of {agent_id}."
            )
        wire = InvokeAgentWire(
            tracer=invoke_agent.Tracer(agent_id, alias_id, session_id) if asked.trace else None,
            streaming=asked.streaming,
            question=asked.input_text,
        )
        response = self._respond(asked, wire)
        response.headers["x-amzn-bedrock-agent-content-type"] = "application/json"
        response.headers["x-amz-bedrock-agent-session-id"] = session_id
        return response

    def _invoke_harness(self) -> Response:
        model.check_signature(request.headers.get("Authorization"), "bedrock-agentcore")
        asked = agentcore.read_harness(query=request.args, headers=request.headers, body=request.get_data())
        return self._respond(asked, HarnessWire())

    def _invoke_agent_runtime(self, arn: str) -> Response:
        model.check_signature(request.headers.get("Authorization"), "bedrock-agentcore")
        asked, framework = agentcore.read_runtime(
            arn, query=request.args, headers=request.headers, body=request.get_data()
        )
        response = self._respond(asked, WIRES[framework]())
        response.headers[_SESSION_HEADER] = asked.session_id
        return response

    def _stop_runtime_session(self, arn: str) -> Response:
        model.check_signature(request.headers.get("Authorization"), "bedrock-agentcore")
        session_id = agentcore.read_stop(
            arn, query=request.args, headers=request.headers, body=request.get_data()
        )
        with self._lock:
            if self._refused_stops:
                raise AgentError(
                    self._refused_stops.popleft(), "Session operation in progress, please retry."
                )
            session = self._sessions.pop((arn, session_id), None)
        if session is None:
            raise AgentError("resourceNotFoundException", f"There is no session {session_id}.")
        session.stopped = True
        self.stopped_sessions.append(session_id)
        self._journal.add("agent", "session stopped", session=session_id)
        response = jsonify({})
        response.headers[_SESSION_HEADER] = session_id
        return response

    def _respond(self, asked: AgentRequest, wire: Wire) -> Response:
        key = (asked.agent, asked.session_id)
        with self._lock:
            session = self._sessions.setdefault(key, _Session())
            turn = self._turn(asked, session)
            if session.busy:
                message = f"Session {asked.session_id} is already running a turn."
                raise AgentError("conflictException", message)
            session.busy = True
            session.pause = turn.pause
            if asked.end_session:
                del self._sessions[key]
            run = self._started(asked, turn)
        return self._stream(wire, turn, session, run)

    def _turn(self, asked: AgentRequest, session: _Session) -> _Turn:
        """Decides what happens. Raises AgentError when that is an HTTP error."""
        thread, question = _thread_and_question(asked.input_text)
        script, question = script_for(question)
        forced = self._forced.popleft() if self._forced else None
        script = forced or script
        place = city_named(thread) or session.place
        found = answer(question, place, datetime.now(UTC), asked.files, self.tools)
        decisions, pause = asked.decisions, None
        if session.pause and _fit(asked, session.pause):
            actions = _resumed(asked, session.pause)
        elif asked.decisions:
            actions, decisions, pause = _not_resumed(asked), (), session.pause
        elif session.pause and asked.operation == "InvokeAgentRuntime":
            actions, pause = iter([Fail("INTERRUPT_PENDING", INTERRUPT_PENDING)]), session.pause
        elif asked.end_session:
            actions = iter([Text(SESSION_ENDED.encode())])
        else:
            actions = script.play(found)
        actions = script.play(found) if forced else actions
        first = next(actions)  # no script begins with a tool, which would take time
        may_stream = self.streaming_allowed or asked.operation != "InvokeAgent"
        match first:
            case Refuse(error, message):
                raise AgentError(error, message)
            case Reset():
                pass
            case _ if asked.streaming and not may_stream:
                first, actions = Wait(0.3), iter([Fail("accessDeniedException", STREAMING_DENIED)])
        return _Turn(script, first, actions, found.place, decisions, pause)

    def _started(self, asked: AgentRequest, turn: _Turn) -> Invocation:
        run = Invocation(
            number=len(self.invocations) + 1,
            operation=asked.operation,
            agent=asked.agent,
            session_id=asked.session_id,
            input_text=asked.input_text,
            attributes=asked.attributes,
            limits=asked.limits,
            files=asked.files,
            trace=asked.trace,
            streaming=asked.streaming,
            script="resumed" if asked.decisions else turn.script.name,
            started_at=time.time(),
            decisions=turn.decisions,
        )
        self.invocations.append(run)
        self._journal.add(
            "agent",
            "invocation started",
            number=run.number,
            operation=run.operation,
            session=run.session_id,
            question=run.input_text[:_MAX_QUESTION_IN_JOURNAL],
            script=run.script,
            trace=run.trace,
            streaming=run.streaming,
            decisions=["approved" if one.is_approved else "denied" for one in run.decisions],
        )
        return run

    def _stream(self, wire: Wire, turn: _Turn, session: _Session, run: Invocation) -> Response:
        player = Player(
            connection=request.environ["werkzeug.socket"],
            stopping=lambda: self._stopping.is_set() or session.stopped,
            time_scale=self.time_scale,
            wire=wire,
        )

        def end(how: str) -> None:
            with self._lock:
                if run.ended is None:
                    session.busy = False
                    if how in ("complete", "approval"):
                        session.place = turn.place
                        session.pause = player.last if isinstance(player.last, Pause) else None
                    self._ended(run, how, player)

        response = Response(
            _until_end(player.play(turn.first, turn.others), player, end), content_type=wire.content_type
        )
        # A client may be gone before the first byte: then the generator never runs, and only this is called.
        response.call_on_close(lambda: end("client gone"))
        response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
        return response

    def _ended(self, run: Invocation, how: str, player: Player) -> None:
        run.first_text_at, run.pieces, run.ended = player.first_text_at, player.pieces, how
        self._journal.add(
            "agent",
            "invocation ended",
            number=run.number,
            session=run.session_id,
            ended=how,
            pieces=player.pieces,
        )
        self._lock.notify_all()

    def _refuse(self, error: AgentError) -> Response:
        name, status = error.error, error.status or invoke_agent.ERRORS[error.error]
        more: dict[str, str] = {}
        if "session_id" not in (request.view_args or {}) and error.status is None:
            of_harness = request.endpoint == self._invoke_harness.__name__
            name, status, more = agentcore.refusal(error.error, of_harness=of_harness)
        session = (request.view_args or {}).get("session_id") or request.headers.get(_SESSION_HEADER)
        self._journal.add("agent", "invocation refused", session=session, status=status, error=error.error)
        return error_response(name, error.message, status, more)


def _call(environ: dict[str, Any], body: bytes) -> Call | None:
    path = environ["PATH_INFO"]
    if match := re.fullmatch(r"/agents/.*/sessions/(.*)/text", path):
        arguments = {"sessionId": match[1], **json.loads(body or b"{}")}
        return Call("Bedrock", "InvokeAgent", arguments, sender(environ))
    arguments = {"runtimeSessionId": environ.get(f"HTTP_{_SESSION_HEADER.upper().replace('-', '_')}")}
    if path == "/harnesses/invoke":
        arguments |= {**dict(parse_qsl(environ["QUERY_STRING"])), **json.loads(body or b"{}")}
        return Call("AgentCore", "InvokeHarness", arguments, sender(environ))
    if match := re.fullmatch(r"/runtimes/(.*)/invocations", path):
        arguments |= {"agentRuntimeArn": match[1], "payload": body.decode(errors="replace")}
        return Call("AgentCore", "InvokeAgentRuntime", arguments, sender(environ))
    if match := re.fullmatch(r"/runtimes/(.*)/stopruntimesession", path):
        return Call(
            "AgentCore", "StopRuntimeSession", arguments | {"agentRuntimeArn": match[1]}, sender(environ)
        )
    return None


def _until_end(stream: Iterator[bytes], player: Player, end: Callable[[str], None]) -> Iterator[bytes]:
    """`stream`, and a word to `end` about how it ended, before the client can see that it has."""
    how = "broken"  # a defect of the fake itself
    try:
        for message in stream:
            if isinstance(player.last, Fail | UnmodelledError):  # the last message of all
                end(_planned_end(player.last))
            yield message
        how = _planned_end(player.last)
    except Stopped:
        how = "stopped"
        raise
    except ClientGone:
        how = "client gone"
        raise
    except ConnectionError:
        how = _planned_end(player.last)
        raise
    except GeneratorExit:  # a write failed
        how = "client gone"
        raise
    finally:
        end(how)


def _planned_end(last: Action | None) -> str:
    match last:
        case Fail(error, _):
            return error
        case UnmodelledError(code, _):
            return code
        case Pause():
            return "approval"
        case Cut():
            return "cut"
        case Reset():
            return "reset"
    return "complete"


def _expected(operation: str, pause: Pause) -> list[tuple[str, str]]:
    """The ids and tools of the decisions that a request has to have."""
    if operation == "InvokeAgent":
        return [(pause.approvals[0].id, approval.tool) for approval in pause.approvals]
    # A harness hands over one inline function after the other.
    waiting = pause.approvals[:1] if operation == "InvokeHarness" else pause.approvals
    return [(approval.id, "") for approval in waiting]


def _fit(asked: AgentRequest, pause: Pause) -> bool:
    """Whether the request has one decision on each thing that the agent asked for, and no other."""
    told = sorted((decision.approval, decision.tool) for decision in asked.decisions)
    return told == sorted(_expected(asked.operation, pause))


def _resumed(asked: AgentRequest, pause: Pause) -> Iterator[Action]:
    """What the agent does once it is told the decisions."""
    expected = _expected(asked.operation, pause)
    decisions = sorted(asked.decisions, key=lambda one: expected.index((one.approval, one.tool)))
    if waiting := pause.approvals[len(decisions) :]:
        return iter([Wait(0.1), Pause(waiting, lambda later: pause.then([*decisions, *later]))])
    return iter(pause.then(decisions))


def _not_resumed(asked: AgentRequest) -> Iterator[Action]:
    """What comes of decisions that are missing, stale or given twice.

    Raises AgentError where the service itself refuses them. That they cannot resume is documented for a
    harness, how that is worded for none:
    https://docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html
    """
    message = "No invocation of this session waits for these results."
    if asked.operation == "InvokeAgentRuntime":  # the agent's own code finds out
        return iter([Fail("UNKNOWN_INTERRUPT", message)])
    raise AgentError("validationException", message)


def _unknown_operation(error: HTTPException) -> Response:
    return error_response("unknownOperationException", error.name, error.code or 500)


def error_response(error: str, message: str, status: int, more: Mapping[str, str] | None = None) -> Response:
    """An error in the shape of AWS's REST-JSON protocol."""
    response = jsonify(message=message, **(more or {}))
    response.status_code = status
    response.headers["x-amzn-ErrorType"] = error[0].upper() + error[1:]
    response.headers["x-amzn-RequestId"] = str(uuid.uuid4())
    return response
