"""What a million questions cost at list prices, from what was measured; the agent and its model come on top.

Prices are those of us-east-1, without the free tier, as of 2026-11: aws.amazon.com/lambda/pricing,
/api-gateway/pricing, /sqs/pricing, /dynamodb/pricing/on-demand, /secrets-manager/pricing,
/cloudwatch/pricing, /xray/pricing.
"""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from bench import latencies
from bench.receiver import Receivers
from bench.worker import WARM, Worker
from config import deployment
from functions.bridge.turns import stop_watch
from simulator.tap import Call

MILLION = 1_000_000
# Dollars.
GB_SECOND_ARM, GB_SECOND_X86 = 0.0000133334, 0.0000166667
LAMBDA_REQUEST = 0.20 / MILLION
HTTP_API, REST_API = 1.00 / MILLION, 3.50 / MILLION
FIFO_REQUEST = 0.50 / MILLION
WRITE_UNIT, READ_UNIT = 0.625 / MILLION, 0.125 / MILLION
SECRET_READ = 5.00 / MILLION
TRACE = 5.00 / MILLION
LOGGED_BYTE = 0.50 / 1e9

# Of a busy function: it reads a secret every five minutes, and not for each question.
SECRET_READS = 0.05
# Bytes: Lambda's own lines about two invocations and the HTTP API's access line.
PLATFORM_LINES = 1550
# How often a worker renews its lease, in seconds: one write, and one request that keeps the message hidden.
RENEWAL = 20
# How often a worker looks for a Stop, and the read units of that: half of one for each of two items.
LOOKS, LOOK_UNITS = 1 / stop_watch.EVERY, 2 * 0.5
# X-Ray is off unless `tracing` is on. Below one request a second it then records two: the receiver's and the
# worker's.
TRACES = 0
LENGTHS = (5, 15, 60)


@dataclass(frozen=True)
class Question:
    """What the bridge uses for one question, but for the time that its agent takes. Times in seconds."""

    receiver: float
    worker: float
    write_units: int
    read_units: int
    sqs_requests: int
    logged: int


def measured(receivers: Receivers, worker: Worker) -> Question:
    warm = worker.questions[WARM]
    calls = warm.calls[-1]
    return Question(
        receiver=statistics.median(receivers.ours.warm),
        worker=statistics.median(warm.overhead),
        write_units=write_units(calls),
        read_units=sum(call.operation == "GetItem" for call in calls),
        # The receiver sends it; Lambda receives and deletes it.
        sqs_requests=3 + sum(call.service == "SQS" for call in calls),
        logged=receivers.logged + round(statistics.median(warm.logged)) + PLATFORM_LINES,
    )


def write_units(calls: Sequence[Call]) -> int:
    """Of DynamoDB: one for each KB of the item, before or after, whichever is larger; in a transaction two.

    The item is taken to be as large as what the last call wrote to it.
    """
    sizes: dict[str, int] = {}
    units = 0
    for arguments, price in _writes(calls):
        written = arguments.get("Item") or arguments.get("ExpressionAttributeValues") or {}
        keys = arguments.get("Key") or {name: written[name] for name in deployment.TABLE_KEYS}
        item, size = json.dumps(keys, sort_keys=True), len(json.dumps(written, ensure_ascii=False).encode())
        units += price * max(1, ceil(max(size, sizes.get(item, 0)) / 1024))
        sizes[item] = size
    return units


def _writes(calls: Sequence[Call]) -> Iterator[tuple[Mapping[str, Any], int]]:
    """The arguments of each write of an item, and how many units a KB of it is."""
    for call in calls:
        if call.operation in ("PutItem", "UpdateItem", "DeleteItem"):
            yield call.arguments, 1
        elif call.operation == "TransactWriteItems":
            for item in call.arguments["TransactItems"]:
                [arguments] = item.values()
                yield arguments, 2


def ours(question: Question, seconds: float) -> dict[str, float]:
    """Dollars for one question that its agent takes `seconds` for, by what they are for."""
    renewals = int(seconds // RENEWAL)
    reads = question.read_units + seconds * LOOKS * LOOK_UNITS
    return {
        "worker": _lambda(question.worker + seconds, deployment.CONSUMER_MEMORY),
        "X-Ray": TRACES * TRACE,
        "DynamoDB": (question.write_units + renewals) * WRITE_UNIT + reads * READ_UNIT,
        "SQS": (question.sqs_requests + renewals) * FIFO_REQUEST,
        "logs": question.logged * LOGGED_BYTE,
        "HTTP API": HTTP_API,
        "receiver": _lambda(question.receiver, deployment.RECEIVER_MEMORY),
        "secrets": SECRET_READS * SECRET_READ,
    }


def bolt(warm: float, seconds: float) -> float:
    """Dollars. Bolt acknowledges in one invocation and asks in another, which makes two calls of Slack's."""
    asks = warm + seconds + 2 * latencies.SLACK
    memory = deployment.RECEIVER_MEMORY
    return _lambda(warm, memory) + _lambda(asks, memory) + HTTP_API + PLATFORM_LINES * LOGGED_BYTE


def reference(seconds: float) -> float:
    """Dollars of AWS's sample: a REST API, three functions of 256 MB on x86, two reads of secrets.

    Its times are not measured here: 0.35 s to verify, 0.15 s to enqueue, 0.5 s around the agent.
    https://github.com/aws-samples/sample-Integrate-Amazon-Bedrock-Agents-with-Slack
    """
    busy = 0.35 + 0.15 + seconds + 0.5
    functions = busy * 0.25 * GB_SECOND_X86 + 3 * LAMBDA_REQUEST
    queue = 3.4 * FIFO_REQUEST
    return REST_API + functions + queue + 2.08 * SECRET_READ + PLATFORM_LINES * LOGGED_BYTE


def per_million(dollars: Mapping[str, float]) -> float:
    return MILLION * sum(dollars.values())


def _lambda(seconds: float, memory: int) -> float:
    return seconds * memory / 1024 * GB_SECOND_ARM + LAMBDA_REQUEST
