"""Sees every external call of the functions, knows which turn it is about and what it is for, and breaks some.

A point is the first call of its kind in one delivery of a turn, such as "DynamoDB UpdateItem (started)".
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from werkzeug.wrappers import Response

from simulator import wiring
from simulator.lambda_service.environment import ExecutionEnvironment
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM
from simulator.tap import Call

SETTLED = ("answered", "interrupted", "failed")
PLACEHOLDER = "Processing…"


@dataclass(frozen=True)
class Point:
    """Attributes:
    stage: "receiver", "worker", "dead_letters", with a number from the second delivery of the turn on.
    call: the call and what it is for.
    """

    stage: str
    call: str

    def __str__(self) -> str:
        return f"{self.stage}: {self.call}"


@dataclass
class Watched:
    """What was seen of one turn.

    Attributes:
        points: in the order in which they were passed.
        faults: what shall happen where; a fault that has happened is removed.
        state: the last that was written to the ledger.
        delivery: the one that is under way: its process, and the receipt of the message.
        deliveries: how many there have been in each stage.
    """

    turn_id: str = ""
    points: list[Point] = field(default_factory=list)
    faults: "list[Planned]" = field(default_factory=list)
    happened: int = 0
    state: str = ""
    reply: int = 0
    hidden: bool = False
    delivery: tuple[str, str] = ("", "")
    stage: str = wiring.RECEIVER.name
    deliveries: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Incident:
    """A call at the moment in which a fault happens to it.

    Attributes:
        perform: lets the call have its effect; returns the service's answer.
        process: the one that makes the call; None for the event source, which is no process of ours.
    """

    call: Call
    perform: Callable[[], Response]
    process: ExecutionEnvironment | None
    watched: Watched
    simulation: Simulation


Happening = Callable[[Incident], Response]


@dataclass
class Planned:
    """`happening` shall happen to the next `times` calls at the point."""

    point: Point
    happening: Happening
    times: int = 1


class Watch:
    """The interceptor of a simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self.turns: dict[str, Watched] = {}
        self._simulation = simulation
        # The turn that is asked next; only one may be under way to the receiver.
        self._next: Watched | None = None
        self._receipts: dict[str, str] = {}
        self._posted: dict[str, str] = {}
        self._changed = threading.Condition()
        simulation.tap.interceptor = self._intercept

    def next_turn(self, faults: list[Planned]) -> Watched:
        """What will be seen of the turn that arrives next."""
        with self._changed:
            self._next = Watched(faults=faults)
            return self._next

    def wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait until `condition` holds, which is looked at with every call that anybody makes."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)

    def _intercept(self, call: Call, perform: Callable[[], Response]) -> Response:
        process = self._process(call.sender)
        with self._changed:
            watched = self._watched(call, process)
            point = watched and self._pass(watched, call, process)
            planned = watched and point and _take(watched, point)
        if watched and not process:
            process = self._process(watched.delivery[0])
        if watched and planned:
            response = planned.happening(Incident(call, perform, process, watched, self._simulation))
        else:
            response = perform()
        if watched:
            self._note_effect(watched, call, response)
        with self._changed:
            self._changed.notify_all()
        return response

    def _process(self, name: str | None) -> ExecutionEnvironment | None:
        environments = (e for f in wiring.FUNCTIONS for e in self._simulation.lambdas.environments(f.name))
        return next((e for e in environments if e.name == name), None) if name else None

    def _watched(self, call: Call, process: ExecutionEnvironment | None) -> Watched | None:
        turn_id = self._turn_id(call, process)
        if self._next and process and process.function is wiring.RECEIVER:
            if turn_id is None:  # it reads a secret before it knows which turn it is about
                return self._next
            if turn_id not in self.turns:
                self._next.turn_id = turn_id
                self.turns[turn_id], self._next = self._next, None
        return self.turns.get(turn_id or "")

    def _turn_id(self, call: Call, process: ExecutionEnvironment | None) -> str | None:
        arguments = call.arguments
        match call.operation:
            case "SendMessage":
                return _of_body(arguments["MessageBody"])
            case "DeleteMessage":
                return self._receipts.get(arguments["ReceiptHandle"])
            case "chat.postMessage" | "chat.update":
                return str(arguments["metadata"]["event_payload"]["turn_id"])
            case "conversations.replies":
                return f"{TEAM.id}:{arguments['channel']}:{arguments['oldest']}"
            case "chat.delete":
                return self._posted.get(arguments["ts"])
        if process is None or process.event is None or process.function is wiring.RECEIVER:
            return None
        record = json.loads(process.event)["Records"][0]
        turn_id = _of_body(record["body"])
        self._receipts[record["receiptHandle"]] = turn_id
        return turn_id

    def _pass(self, watched: Watched, call: Call, process: ExecutionEnvironment | None) -> Point:
        if process and process.function is wiring.RECEIVER:
            stage = _stage(process, _attempt(call.arguments.get("MessageBody")))
        else:
            if process and process.event:
                _note_delivery(watched, process, process.event)
            stage = watched.stage
        point = Point(stage, _describe(call, watched))
        if point not in watched.points:
            watched.points.append(point)
        return point

    def _note_effect(self, watched: Watched, call: Call, response: Response) -> None:
        if response.status_code != 200:
            return
        match call.operation:
            case "UpdateItem":
                values = call.arguments["ExpressionAttributeValues"]
                watched.state = values.get(":state_new", {}).get("S", watched.state)
                watched.reply = len(values.get(":reply_new", {}).get("L", "x" * watched.reply))
            case "ChangeMessageVisibility":
                watched.hidden = True
            case "chat.postMessage":
                self._posted[json.loads(response.get_data()).get("ts", "")] = watched.turn_id


def _take(watched: Watched, point: Point) -> Planned | None:
    for planned in watched.faults:
        if planned.point == point:
            planned.times -= 1
            watched.happened += 1
            if not planned.times:
                watched.faults.remove(planned)
            return planned
    return None


def _note_delivery(watched: Watched, process: ExecutionEnvironment, event: bytes) -> None:
    record = json.loads(event)["Records"][0]
    delivery = (process.name, record["receiptHandle"])
    if delivery == watched.delivery:
        return
    watched.delivery, watched.hidden = delivery, False
    stage = _stage(process, _attempt(record["body"]))
    number = watched.deliveries[stage] = watched.deliveries.get(stage, 0) + 1
    watched.stage = stage if number == 1 else f"{stage}, delivery {number}"


def _stage(process: ExecutionEnvironment, attempt: int) -> str:
    return process.function.name if attempt == 1 else f"{process.function.name}, attempt {attempt}"


def _attempt(body: str | None) -> int:
    return int(json.loads(body)["attempt"]) if body else 1


def _of_body(body: str) -> str:
    turn = json.loads(body)
    return f"{turn['team']}:{turn['channel']}:{turn['ts']}"


def _describe(call: Call, watched: Watched) -> str:
    purpose = _purpose(call, watched)
    return f"{call.service} {call.operation}" + (f" ({purpose})" if purpose else "")


def _purpose(call: Call, watched: Watched) -> str:
    arguments = call.arguments
    match call.operation:
        case "PutItem":
            return {"record": "claim"}.get(item := arguments["Item"]["item"]["S"], item)
        case "GetItem" | "DeleteItem":
            return str(arguments["Key"]["item"]["S"])
        case "UpdateItem":
            return _purpose_of_update(arguments["ExpressionAttributeValues"], watched)
        case "ChangeMessageVisibility":
            return "renew" if watched.hidden else "hide"
        case "chat.postMessage" | "chat.update":
            return _purpose_of_message(arguments, watched)
    return ""


def _purpose_of_update(values: dict[str, Any], watched: Watched) -> str:
    if ":owner_new" in values:
        return "take over"
    if ":state_new" not in values:
        return "renew" if values[":lease_until_new"]["N"] != "0" else "release"
    state = str(values[":state_new"]["S"])
    if state in SETTLED:
        return "settled"
    if ":owed_new" in values:
        return "owed"
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
