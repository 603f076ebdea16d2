"""What can happen to a call: the columns of the matrix."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from werkzeug.wrappers import Response

from simulator import wiring
from simulator.lambda_service.environment import ExecutionEnvironment
from simulator.lambda_service.service import TooManyRequestsError
from simulator.simulation import Simulation
from simulator.slack.seed import BOB
from simulator.tap import NoAnswer
from tests.faults.watch import Happening, Incident, turn_id_of

# Longer than AWS's clients wait for an answer (2 s, then they ask again).
LATE_SECONDS = 2.3
# How long a worker owns a turn here; as deployed 60 s.
LEASE_SECONDS = 2
# As deployed Slack has 10 s to answer.
SLACK_LATE_SECONDS = 10 * LEASE_SECONDS / 60
# AWS's clients try three times, and the bridge asks Slack again: more than one try has to fail.
OUTAGE_TRIES = 3
# So long a press of Stop has to come through its queue before the call goes on.
STOP_SECONDS = 1.0


@dataclass(frozen=True)
class Fault:
    """A column.

    Attributes:
        name, meaning: for the table.
        happening: what it does to a call.
        times: to how many calls in a row, repetitions of the first.
        left_out: operations for which it would mean nothing, or something that nobody can help.
    """

    name: str
    meaning: str
    happening: Happening
    times: int = 1
    left_out: frozenset[str] = frozenset()

    def concerns(self, call: str) -> bool:
        """Whether the matrix has it at `call`, the call of a point."""
        return call.partition(" (")[0].rpartition(" ")[2] not in self.left_out


def killed_before(incident: Incident) -> Response:
    _kill(incident)
    raise NoAnswer


def killed_after(incident: Incident) -> Response:
    incident.perform()
    _kill(incident)
    raise NoAnswer


def given_up(incident: Incident) -> Response:
    """The process dies, and this was the message's last receive: SQS moves it to the dead-letter queue."""
    assert incident.process is not None
    message = message_of(incident.process)
    assert message is not None
    sqs, queue_url = incident.simulation.aws.sqs, incident.simulation.aws.queue_url
    sqs.delete_message(QueueUrl=queue_url(wiring.QUESTIONS), ReceiptHandle=message["receiptHandle"])
    _kill(incident)
    time.sleep(LEASE_SECONDS)  # so long the message would be hidden
    sqs.send_message(
        QueueUrl=queue_url(wiring.DEAD_LETTER_QUEUE),
        MessageBody=message["body"],
        MessageGroupId=message["attributes"]["MessageGroupId"],
        MessageDeduplicationId=message["attributes"]["MessageDeduplicationId"],
    )
    raise NoAnswer


def lost_before(_: Incident) -> Response:
    raise NoAnswer


def lost_after(incident: Incident) -> Response:
    incident.perform()
    raise NoAnswer


def late(incident: Incident) -> Response:
    response = incident.perform()
    time.sleep(SLACK_LATE_SECONDS if incident.call.service == "Slack" else LATE_SECONDS)
    return response


def held_back(seconds: float) -> Happening:
    """The call has its effect later."""

    def happening(incident: Incident) -> Response:
        time.sleep(seconds)
        return incident.perform()

    return happening


def twice(incident: Incident) -> Response:
    incident.perform()
    return incident.perform()


def refused(incident: Incident) -> Response:
    if incident.call.service == "Slack":
        return Response("<html>upstream connect error</html>", 503)
    return _aws_error("InternalServerError", 500)


def throttled(incident: Incident) -> Response:
    if incident.call.service == "Slack":
        return rate_limited(1)(incident)
    return _aws_error("ThrottlingException", 429 if incident.call.service == "Bedrock" else 400)


def rate_limited(seconds: int) -> Happening:
    """Slack's 429 with Retry-After."""

    def happening(_: Incident) -> Response:
        body = json.dumps({"ok": False, "error": "ratelimited"})
        return Response(body, 429, {"Retry-After": str(seconds)}, content_type="application/json")

    return happening


def delivered_again(incident: Incident) -> Response:
    """Queues deliver at least once, and so does Slack: the same comes a second time, at the same moment."""
    process, simulation = incident.process, incident.simulation
    assert process is not None
    if process.function is wiring.RECEIVER and process.event:
        event = (simulation, process.function.name, json.loads(process.event))
        threading.Thread(target=_invoke, args=event).start()
    elif message := message_of(process):
        # In a group of its own, or it would wait until the first is deleted.
        simulation.aws.sqs.send_message(
            QueueUrl=queue_url_of(incident, message),
            MessageBody=message["body"],
            MessageGroupId=f"again-{message['messageId']}",
            MessageDeduplicationId=f"again-{message['messageId']}",
        )
    return incident.perform()


def _invoke(simulation: Simulation, function: str, event: dict[str, Any]) -> None:
    with suppress(TooManyRequestsError):  # then Slack's second delivery finds no process, as any may
        simulation.lambdas.invoke(function, event)


def stopped(incident: Incident) -> Response:
    """A person presses Slack's own Stop in the thread of the question."""
    if not incident.watched.turn_id:  # the receiver reads its secret before anybody can press anything
        return incident.perform()
    _, channel, ts = incident.watched.turn_id.split(":")
    body = json.dumps({"channel": channel, "ts": ts, "user": BOB.name}).encode()
    with urlopen(Request(f"{incident.simulation.url}/control/stop", data=body)):
        pass
    time.sleep(STOP_SECONDS)
    return incident.perform()


def plays(script: str) -> Happening:
    """The agent plays one of its scripts (`simulator.agent.scripts`)."""

    def happening(incident: Incident) -> Response:
        with incident.watch.agent_lock:
            incident.simulation.agent.force(script)
            return incident.perform()

    return happening


def _kill(incident: Incident) -> None:
    """A crash. When nobody has hidden the message yet, the queue's own visibility timeout passes at once."""
    process = incident.process
    assert process is not None
    message = message_of(process)
    process.kill()
    if message is None:
        return
    watched = incident.watch.turns.get(turn_id_of(message["body"]) or "")
    if watched and message["receiptHandle"] not in watched.hidden:
        incident.simulation.aws.sqs.change_message_visibility(
            QueueUrl=queue_url_of(incident, message),
            ReceiptHandle=message["receiptHandle"],
            VisibilityTimeout=0,
        )


def message_of(process: ExecutionEnvironment) -> dict[str, Any] | None:
    """What a process behind a queue works on."""
    event = json.loads(process.event or b"{}")
    records: list[dict[str, Any]] = event.get("Records", [])
    return records[0] if records else None


def queue_url_of(incident: Incident, message: dict[str, Any]) -> str:
    """Where the message that the function got comes from."""
    queues = map(incident.simulation.aws.queue_url, wiring.QUEUES)
    return next(url for url in queues if url.endswith(message["eventSourceARN"].rpartition(":")[2]))


def _aws_error(code: str, status: int) -> Response:
    body = json.dumps({"__type": code, "message": "Injected."})
    return Response(body, status, {"x-amzn-ErrorType": code}, content_type="application/x-amz-json-1.0")


# The event source deletes messages, which is no process of ours: there is nothing to be killed.
EVENT_SOURCE = frozenset({"DeleteMessage"})
# None has a key by which the service could tell a repetition: of two posts both stand, of two runs both run.
# The bridge never repeats one whose answer it did not get, which is what "answer lost" shows.
NOT_REPEATABLE = frozenset({"chat.postMessage", "chat.startStream", "chat.appendStream", "InvokeAgent"})

KILLED_BEFORE = Fault(
    "killed before", "the process dies (SIGKILL) before the call has its effect", killed_before,
    left_out=EVENT_SOURCE,
)  # fmt: skip
KILLED_AFTER = Fault(
    "killed after", "the process dies after the call had its effect, before the answer", killed_after,
    left_out=EVENT_SOURCE,
)  # fmt: skip
REQUEST_LOST = Fault("request lost", "the connection breaks; the call has no effect", lost_before)
ANSWER_LOST = Fault("answer lost", "the connection breaks; the call had its effect", lost_after)
STOPPED = Fault("stopped", "a person presses Slack's Stop, a second before the call", stopped)
FAULTS = (
    KILLED_BEFORE,
    KILLED_AFTER,
    REQUEST_LOST,
    ANSWER_LOST,
    Fault("late", f"the answer comes {LATE_SECONDS:g} s late, Slack's {SLACK_LATE_SECONDS:.1f} s", late),
    Fault("twice", "the call has its effect twice", twice, left_out=NOT_REPEATABLE),
    Fault("refused", "HTTP 500 from AWS, 503 from Slack", refused),
    Fault("throttled", "ThrottlingException from AWS, 429 with Retry-After 1 from Slack", throttled),
    Fault("outage", f"HTTP 500 or 503, {OUTAGE_TRIES} times in a row", refused, times=OUTAGE_TRIES),
    Fault(
        "delivered again", "the queue, or Slack, delivers the same to a second process", delivered_again,
        left_out=EVENT_SOURCE,
    ),
    STOPPED,
)  # fmt: skip
RATE_LIMITED = Fault("Retry-After 30", "429 from Slack", rate_limited(30))
