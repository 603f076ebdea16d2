"""What can happen to a call: the columns of the matrix."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from werkzeug.wrappers import Response

from simulator import wiring
from simulator.lambda_service.service import TooManyRequestsError
from simulator.tap import NoAnswer
from tests.faults.watch import Happening, Incident

# Longer than AWS's clients wait for an answer (2 s, then they ask again).
LATE_SECONDS = 2.3
# Scaled like the lease, which is 60 s when Slack may take 10 s.
SLACK_LATE_SECONDS = 0.7
# AWS's clients try three times, and the bridge asks Slack again: more than one try has to fail.
OUTAGE_TRIES = 3


@dataclass(frozen=True)
class Fault:
    """A column.

    Attributes:
        name, meaning: for the table.
        happening: what it does to a call.
        times: to how many calls in a row, repetitions of the first.
        services: to the calls of which services; others are left out.
        operations_left_out: calls for which it would mean nothing, or something that nobody can help.
    """

    name: str
    meaning: str
    happening: Happening
    times: int = 1
    services: frozenset[str] = frozenset({"SQS", "DynamoDB", "Secrets Manager", "Bedrock", "Slack"})
    operations_left_out: frozenset[str] = frozenset()

    def may_happen_to(self, call: str) -> bool:
        """Whether the matrix has it at `call`, the name of a point's call."""
        service = next(service for service in self.services_of_all if call.startswith(service))
        operation = call.removeprefix(f"{service} ").partition(" (")[0]
        return service in self.services and operation not in self.operations_left_out

    @property
    def services_of_all(self) -> frozenset[str]:
        return AWS | {"Bedrock", "Slack"}


AWS = frozenset({"SQS", "DynamoDB", "Secrets Manager"})


def killed_before(incident: Incident) -> Response:
    _kill(incident)
    raise NoAnswer


def killed_after(incident: Incident) -> Response:
    incident.perform()
    _kill(incident)
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
    def happening(_: Incident) -> Response:
        body = json.dumps({"ok": False, "error": "ratelimited"})
        return Response(body, 429, {"Retry-After": str(seconds)}, content_type="application/json")

    return happening


def delivered_again(incident: Incident) -> Response:
    """The queue delivers at least once: here the same message goes to a second process as well."""
    lambdas, process = incident.simulation.lambdas, incident.process
    if process and process.event:
        name, event = process.function.name, json.loads(process.event)

        def deliver() -> None:
            with suppress(TooManyRequestsError):
                lambdas.invoke(name, event)

        threading.Thread(target=deliver, daemon=True).start()
    return incident.perform()


def plays(script: str) -> Happening:
    """The agent plays one of its scripts (`simulator.agent.scripts`)."""

    def happening(incident: Incident) -> Response:
        with _one_script_at_a_time:
            incident.simulation.agent.force(script)
            return incident.perform()

    return happening


_one_script_at_a_time = threading.Lock()


def _kill(incident: Incident) -> None:
    """A crash. When nobody has hidden the message yet, the queue's own visibility timeout passes at once."""
    process = incident.process
    assert process is not None
    event = json.loads(process.event or b"{}")
    process.kill()
    if process.function is not wiring.RECEIVER and not incident.watched.hidden:
        [record] = event["Records"]
        queue = record["eventSourceARN"].rpartition(":")[2]
        url = next(
            url
            for url in map(incident.simulation.aws.queue_url, (wiring.QUESTIONS, wiring.DEAD_LETTER_QUEUE))
            if url.endswith(queue)
        )
        incident.simulation.aws.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=0
        )


def _aws_error(code: str, status: int) -> Response:
    body = json.dumps({"__type": code, "message": "Injected."})
    headers = {"x-amzn-ErrorType": code}
    return Response(body, status, headers, content_type="application/x-amz-json-1.0")


# The event source deletes messages, not a process of ours; there is nothing to be killed.
EVENT_SOURCE = frozenset({"DeleteMessage"})
# Neither has a key by which the service could tell a repetition: of two posts both stand, of two runs both
# run. The bridge never repeats one whose answer it did not get, which is what "answer lost" shows.
NOT_REPEATABLE = frozenset({"chat.postMessage", "InvokeAgent"})

FAULTS = (
    Fault("killed before", "the process dies (SIGKILL) before the call has its effect", killed_before,
          operations_left_out=EVENT_SOURCE),
    Fault("killed after", "the process dies after the call had its effect, before the answer", killed_after,
          operations_left_out=EVENT_SOURCE),
    Fault("request lost", "the connection breaks, the call has no effect", lost_before),
    Fault("answer lost", "the call has its effect, the connection breaks before the answer", lost_after),
    Fault("late", f"the answer comes late: {LATE_SECONDS:g} s, Slack's {SLACK_LATE_SECONDS:g} s", late),
    Fault("twice", "the call has its effect twice", twice, operations_left_out=NOT_REPEATABLE),
    Fault("refused", "HTTP 500 from AWS, 503 from Slack", refused),
    Fault("throttled", "ThrottlingException from AWS, 429 with Retry-After 1 from Slack", throttled),
    Fault("outage", f"HTTP 500 or 503, {OUTAGE_TRIES} times in a row", refused, times=OUTAGE_TRIES),
    Fault("delivered again", "the queue gives the message to a second process as well", delivered_again,
          operations_left_out=EVENT_SOURCE),
)  # fmt: skip
