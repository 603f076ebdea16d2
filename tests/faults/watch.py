"""Sees every external call of the functions, knows which turn it is about and what for, and breaks some.

A point is the first call of its kind in one delivery of a turn, such as "DynamoDB UpdateItem (started)".
"""

import json
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from werkzeug.wrappers import Response

from simulator import wiring
from simulator.lambda_service.environment import ExecutionEnvironment
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM
from simulator.tap import Call

SETTLED = ("answered", "interrupted", "failed", "stopped")
PLACEHOLDER = "Processing…"


@dataclass(frozen=True)
class Point:
    """Where in a turn something can happen.

    Attributes:
        stage: the function, with the attempt and the delivery where they are not the first.
        call: the call and what it is for.
    """

    stage: str
    call: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.call}"


@dataclass(frozen=True)
class Incident:
    """A call at the moment in which something happens to it.

    Attributes:
        perform: lets the call have its effect; returns the service's answer.
        process: the one that makes the call; None for the event source, which is no process of ours.
        watch: knows all turns.
    """

    call: Call
    perform: Callable[[], Response]
    process: ExecutionEnvironment | None
    watched: "Watched"
    watch: "Watch"

    @property
    def simulation(self) -> Simulation:
        return self.watch.simulation


Happening = Callable[[Incident], Response]


@dataclass
class Planned:
    """`happening` shall happen to the next `times` calls at the point, whose stage may be a pattern.

    Where a call is not repeated, it happens once only.
    """

    point: Point
    happening: Happening
    times: int = 1
    happened: int = 0

    def take(self, point: Point) -> Happening | None:
        """What happens at `point` now, if anything does."""
        due = self.times > 0 and point.call == self.point.call and fnmatch(point.stage, self.point.stage)
        self.times -= due
        self.happened += due
        return self.happening if due else None


@dataclass
class Watched:
    """What was seen of one turn.

    Attributes:
        plan: what shall happen to it.
        points: in the order in which they were passed.
        happened: how many calls something happened to.
        state, reply: as they were last written to the ledger; of the reply the number of messages.
        hidden: the receipts with which a message has been hidden.
        delivery: the one that was under way last: its process, and the receipt of the message.
        stages: of each delivery. Two may be under way: a press is handled while the turn goes on.
        deliveries: how many there have been in each stage.
    """

    plan: list[Planned]
    turn_id: str = ""
    points: list[Point] = field(default_factory=list)
    happened: int = 0
    state: str = ""
    reply: int = 0
    hidden: set[str] = field(default_factory=set)
    delivery: tuple[str, str] = ("", "")
    stages: dict[tuple[str, str], str] = field(default_factory=dict)
    deliveries: dict[str, int] = field(default_factory=dict)
    stage: str = wiring.RECEIVER.name

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED

    @property
    def plan_was_met(self) -> bool:
        return all(planned.happened for planned in self.plan)


class Watch:
    """The interceptor of a simulation.

    Attributes:
        turns: what was seen, by turn id.
        under_way: how many turns are not over, those that are still to be asked among them.
        agent_lock: is held while a request to the agent begins.
        plan_of_all: makes the plan of each turn that nobody has announced; None: such turns are not watched.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.turns: dict[str, Watched] = {}
        self.under_way = 0
        self.plan_of_all: Callable[[], list[Planned]] | None = None
        # The turn that is asked next; only one may be under way to the receiver.
        self._next: Watched | None = None
        self.agent_lock = threading.RLock()
        self._receipts: dict[str, str] = {}
        self._posted: dict[str, str] = {}
        self._changed = threading.Condition()
        simulation.tap.interceptor = self._intercept

    def next_turn(self, plan: list[Planned]) -> Watched:
        """What will be seen of the turn that arrives next."""
        with self._changed:
            self._next = Watched(plan)
            return self._next

    def expect(self, turns: int) -> None:
        """So many turns more, or less when they are over."""
        with self._changed:
            self.under_way += turns
            self._changed.notify_all()

    def wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until `condition` holds, which is looked at with every call that anybody makes."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def _intercept(self, call: Call, perform: Callable[[], Response]) -> Response:
        process = self._process(call.sender) or self._control_process(call)
        with self._changed:
            watched = self._watched(call, process)
            happening = self._pass(watched, call, process) if watched else None

        def performed() -> Response:
            # One at a time: a script that the agent is forced to play is for whoever asks next.
            with self.agent_lock if call.service == "Bedrock" else nullcontext():
                response = perform()
            with self._changed:
                if watched and response.status_code == 200:
                    self._note_effect(watched, call, response)
                self._changed.notify_all()
            return response

        if not (watched and happening):
            return performed()
        process = process or self._process(watched.delivery[0])
        return happening(Incident(call, performed, process, watched, self))

    def _control_process(self, call: Call) -> ExecutionEnvironment | None:
        """The process of the control function that sets an hourglass: Slack does not know who calls."""
        if call.operation != "reactions.add":
            return None
        processes = self.simulation.lambdas.environments(wiring.CONTROL.name)
        return next(
            (one for one in processes if str(call.arguments["timestamp"]).encode() in (one.event or b"")),
            None,
        )

    def _process(self, name: str | None) -> ExecutionEnvironment | None:
        environments = (e for f in wiring.FUNCTIONS for e in self.simulation.lambdas.environments(f.name))
        return next((e for e in environments if e.name == name), None) if name else None

    def _watched(self, call: Call, process: ExecutionEnvironment | None) -> Watched | None:
        turn_id = self._turn_id(call, process)
        if process and process.function is wiring.RECEIVER:
            if turn_id is None:  # it reads a secret before it knows which turn it is about
                return self._next
            if turn_id not in self.turns:
                self._begin(turn_id)
        return self.turns.get(turn_id or "")

    def _begin(self, turn_id: str) -> None:
        if self.plan_of_all:
            self.turns[turn_id] = Watched(self.plan_of_all(), turn_id)
        elif self._next:
            self._next.turn_id = turn_id
            self.turns[turn_id], self._next = self._next, None

    def _turn_id(self, call: Call, process: ExecutionEnvironment | None) -> str | None:
        arguments = call.arguments
        match call.operation:
            case "SendMessage" if process:
                return turn_id_of(arguments["MessageBody"])
            case "DeleteMessage":
                return self._receipts.get(arguments["ReceiptHandle"])
            case "chat.postMessage" | "chat.update":
                return str(arguments["metadata"]["event_payload"]["turn_id"])
            case "conversations.replies":
                # A thread is read up to the question, and own messages are looked for from it on.
                ts = arguments.get("latest") or arguments["oldest"]
                return f"{TEAM.id}:{arguments['channel']}:{ts}"
            case "reactions.add" | "reactions.remove":
                return f"{TEAM.id}:{arguments['channel']}:{arguments['timestamp']}"
            case "assistant.threads.setStatus":
                return f"{TEAM.id}:{arguments['channel_id']}:{arguments['thread_ts']}"
            case "chat.startStream":  # a streamed question of the matrix opens its own thread
                return f"{TEAM.id}:{arguments['channel']}:{arguments['thread_ts']}"
            case "chat.appendStream" | "chat.stopStream" | "chat.delete":
                return self._posted.get(arguments["ts"])
        if process is None or process.function is wiring.RECEIVER or not process.event:
            return None
        record = json.loads(process.event)["Records"][0]
        turn_id = turn_id_of(record["body"])
        if turn_id is not None and not _is_notice(process):
            self._receipts[record["receiptHandle"]] = turn_id
        return turn_id

    def _pass(self, watched: Watched, call: Call, process: ExecutionEnvironment | None) -> Happening | None:
        """Note the point that the call is; say what shall happen there."""
        if process and process.function is wiring.RECEIVER:
            stage = _stage(process, call.arguments.get("MessageBody"))
        elif process and _is_notice(process):  # beside the worker
            stage = process.function.name
        else:
            if process and process.event:
                _note_delivery(watched, process, process.event)
            stage = watched.stage
        point = Point(stage, _describe(call, watched))
        if point not in watched.points:
            watched.points.append(point)
        happening = next(filter(None, (planned.take(point) for planned in watched.plan)), None)
        watched.happened += happening is not None
        return happening

    def _note_effect(self, watched: Watched, call: Call, response: Response) -> None:
        match call.operation:
            case "UpdateItem":
                values = call.arguments["ExpressionAttributeValues"]
                watched.state = values.get(":state_new", {}).get("S", watched.state)
                watched.reply = len(values.get(":reply_new", {}).get("L", "x" * watched.reply))
            case "ChangeMessageVisibility":
                watched.hidden.add(call.arguments["ReceiptHandle"])
            case "chat.postMessage" | "chat.startStream":
                self._posted[json.loads(response.get_data()).get("ts", "")] = watched.turn_id


def _is_notice(process: ExecutionEnvironment) -> bool:
    """Whether the process is about to show that a question waits."""
    return process.function is wiring.CONTROL and b"show_waiting" in (process.event or b"")


def _note_delivery(watched: Watched, process: ExecutionEnvironment, event: bytes) -> None:
    record = json.loads(event)["Records"][0]
    delivery = watched.delivery = (process.name, record["receiptHandle"])
    if delivery not in watched.stages:
        stage = _stage(process, record["body"])
        number = watched.deliveries[stage] = watched.deliveries.get(stage, 0) + 1
        watched.stages[delivery] = stage if number == 1 else f"{stage}, delivery {number}"
    watched.stage = watched.stages[delivery]


def _stage(process: ExecutionEnvironment, body: str | None) -> str:
    attempt = json.loads(body).get("attempt", 1) if body else 1
    return process.function.name if attempt == 1 else f"{process.function.name}, attempt {attempt}"


def turn_id_of(body: str) -> str | None:
    """Which turn a queue message is about; None for a command of the control queue."""
    command = json.loads(body)
    return f"{command['team']}:{command['channel']}:{command['ts']}" if "ts" in command else None


def _describe(call: Call, watched: Watched) -> str:
    purpose = _purpose(call, watched)
    return f"{call.service} {call.operation}" + (f" ({purpose})" if purpose else "")


def _purpose(call: Call, watched: Watched) -> str:
    arguments = call.arguments
    match call.operation:
        case "SendMessage":
            return "notice" if "show_waiting" in arguments["MessageBody"] else ""
        case "PutItem":
            item = str(arguments["Item"]["item"]["S"])
            return "claim" if item == "record" else item
        case "GetItem" | "DeleteItem":
            return str(arguments["Key"]["item"]["S"])
        case "UpdateItem" if (item := str(arguments["Key"]["item"]["S"])) in ("person", "channel"):
            return f"slot of the {item}"
        case "UpdateItem" if arguments["Key"]["item"]["S"] == "stop":
            return "begins" if ":began_at" in arguments["ExpressionAttributeValues"] else "Stop"
        case "TransactWriteItems":
            return "slots given back"
        case "UpdateItem" if arguments["Key"]["item"]["S"] != "record":
            return str(arguments["Key"]["item"]["S"])
        case "UpdateItem":
            return _purpose_of_update(arguments["ExpressionAttributeValues"], watched)
        case "ChangeMessageVisibility":
            if arguments["VisibilityTimeout"] == 0:
                return "wake"
            return "renew" if arguments["ReceiptHandle"] in watched.hidden else "hide"
        case "chat.postMessage" | "chat.update":
            return _purpose_of_message(arguments, watched)
        case "conversations.replies":
            return "thread" if "latest" in arguments else ""
        case "chat.startStream":
            return f"stream {watched.reply + 1}"
        case "chat.appendStream" | "chat.stopStream":
            return f"stream {max(1, watched.reply)}"
    return ""


def _purpose_of_update(values: dict[str, Any], watched: Watched) -> str:
    if ":hourglass" in values:
        return "hourglass"
    if ":stop_ts" in values:
        return "Stop of the turn"
    if ":decision_id" in values:
        return "decision"
    if ":owner_new" in values:
        return "take over"
    if ":lease_until_new" not in values and ":state_new" not in values:
        return "text forgotten"
    if ":state_new" not in values:
        return "renew" if values[":lease_until_new"]["N"] != "0" else "release"
    state = str(values[":state_new"]["S"])
    if state in SETTLED:
        return "settled"
    if ":owed_new" in values or ":owed_zip_new" in values:
        return "owed"
    if state == "waiting":
        return state
    if state == "replying":
        return f"message {values[':intended_new']['N']} intended"
    return "message noted" if len(values[":reply_new"]["L"]) > watched.reply else state


def _purpose_of_message(arguments: dict[str, Any], watched: Watched) -> str:
    number = arguments["metadata"]["event_payload"]["part"] + 1
    if arguments["blocks"][0]["text"] == PLACEHOLDER:
        return "placeholder"
    if watched.state == "replying":
        return "final" if number == 1 else f"message {number}"
    return "progress"
