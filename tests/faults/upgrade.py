"""A version is deployed while a turn is under way: this one goes on with what the one before has left."""

import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from simulator.aws import TABLE
from simulator.simulation import Simulation
from simulator.tap import NoAnswer
from tests.faults.faults import Fault, message_of, queue_url_of
from tests.faults.watch import Incident

# What the version before wrote, as it was recorded.
RECORDED = Path(__file__).parents[1] / "functions/compat/dc599fc"


def upgraded(incident: Incident) -> Response:
    """The process ends after the call. Message and record lose what the version before did not write."""
    process, simulation = incident.process, incident.simulation
    assert process is not None
    message = message_of(process)
    assert message is not None
    incident.perform()
    process.kill()
    sqs, queue_url = simulation.aws.sqs, queue_url_of(incident, message)
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["receiptHandle"])
    _write_record_as_before(simulation, incident.watched.turn_id)
    known = _recorded_message_fields()
    body = {name: value for name, value in json.loads(message["body"]).items() if name in known}
    sqs.send_message(
        QueueUrl=queue_url,
        MessageBody=json.dumps(body),
        MessageGroupId=message["attributes"]["MessageGroupId"],
        MessageDeduplicationId=f"before-{message['messageId']}",
    )
    raise NoAnswer


def _write_record_as_before(simulation: Simulation, turn_id: str) -> None:
    dynamodb, key = simulation.aws.dynamodb, {"turn_id": {"S": turn_id}, "item": {"S": "record"}}
    item = dynamodb.get_item(TableName=TABLE, Key=key, ConsistentRead=True).get("Item")
    if item:
        if "owed_zip" in item:  # that version kept the text as it is
            texts = json.loads(zlib.decompress(item["owed_zip"]["B"]))[: int(item["owed_messages"]["N"])]
            item["owed"] = {"L": [{"S": text} for text in texts]}
        known = _recorded_attributes()
        dynamodb.put_item(TableName=TABLE, Item={name: item[name] for name in item if name in known})


@cache
def _recorded_message_fields() -> frozenset[str]:
    messages = _recorded("messages").values()
    return frozenset(name for message in messages for name in json.loads(message["body"]))


@cache
def _recorded_attributes() -> frozenset[str]:
    """Those of records, whatever their state."""
    items = (item for turn in _recorded("records").values() for item in turn)
    return frozenset(name for item in items if item["item"] == {"S": "record"} for name in item)


def _recorded(what: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((RECORDED / f"{what}.json").read_text())
    return recorded


UPGRADED = Fault(
    "upgraded in mid-flight",
    "the version before ends here; this one gets its message and its record, as that one wrote them",
    upgraded,
)
