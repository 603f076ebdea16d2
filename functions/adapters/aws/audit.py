"""CloudWatch Logs: the audit records, in a log group of their own."""

import json
from collections.abc import Mapping
from typing import Any

from functions.adapters.aws.json_client import AwsError, JsonClient
from functions.bridge.clock import Clock
from functions.bridge.errors import ServiceUnavailable


class AuditLog:
    """See `functions.bridge.turns.ports.Audit`.

    Args:
        client: of the service "logs".
        group: the name of the log group.
        stream: a name that no other execution environment has.
    """

    def __init__(self, client: JsonClient, clock: Clock, *, group: str, stream: str) -> None:
        self._client = client
        self._clock = clock
        self._where = {"logGroupName": group, "logStreamName": stream}

    def write(self, record: Mapping[str, object]) -> None:
        event = {
            "timestamp": int(1000 * self._clock.now()),
            "message": json.dumps(record, separators=(",", ":")),
        }
        try:
            try:
                self._put(event)
            except AwsError as exc:
                if exc.code != "ResourceNotFoundException":
                    raise
                self._create_stream()  # at an environment's first record
                self._put(event)
        except AwsError as exc:
            raise ServiceUnavailable(f"the audit record was not taken: {exc}") from exc

    def _put(self, event: dict[str, Any]) -> None:
        answer = self._client.call("PutLogEvents", **self._where, logEvents=[event])
        if rejected := answer.get("rejectedLogEventsInfo"):
            raise ServiceUnavailable(f"the audit record was rejected: {', '.join(rejected)}")

    def _create_stream(self) -> None:
        try:
            self._client.call("CreateLogStream", **self._where)
        except AwsError as exc:  # our own, whose confirmation got lost
            if exc.code != "ResourceAlreadyExistsException":
                raise
