"""How the pieces are put together in AWS, as data: the simulator's copy of what `infra/` deploys.

The demo runs without Node and so cannot read the CloudFormation template;
`tests/infra/test_wiring.py` compares this module with the synthesised template instead.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Function:
    """A Lambda function. Times in seconds, memory in MB; `environment` lists the variables' names."""

    name: str
    handler: str
    timeout: int
    memory: int
    environment: frozenset[str]


@dataclass(frozen=True)
class Queue:
    """A FIFO queue and the function that reads it, one message at a time. Times in seconds."""

    name: str
    function: Function
    visibility_timeout: int
    max_concurrency: int
    max_receive_count: int | None
    retention: int


POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
# What it takes to do what a queue's commands ask for.
CONSUMER = {"QUEUE_URL", "BOT_TOKEN_SECRET_ID", "LEDGER_TABLE", "LEASE_SECONDS", "NOTIFY_AFTER_SECONDS"}

RECEIVER = Function(
    name="receiver",
    handler="functions.receiver.handler",
    timeout=25,
    memory=512,
    environment=frozenset({"QUEUE_URL", "CONTROL_QUEUE_URL", "SIGNING_SECRET_ID", *POWERTOOLS}),
)
WORKER = Function(
    name="worker",
    handler="functions.worker.handler",
    timeout=300,
    memory=256,
    environment=frozenset({*CONSUMER, "AGENTS", "REPLY_STYLE", "SHOW_RATIONALE", *POWERTOOLS}),
)
CONTROL = Function(
    name="control",
    handler="functions.control.handler",
    timeout=60,
    memory=256,
    environment=frozenset({*CONSUMER, *POWERTOOLS}),
)
DEAD_LETTERS = Function(
    name="dead_letters",
    handler="functions.dead_letters.handler",
    timeout=60,
    memory=256,
    environment=frozenset({*CONSUMER, *POWERTOOLS}),
)
FUNCTIONS = (RECEIVER, WORKER, CONTROL, DEAD_LETTERS)

# The sample agent's tools, which stacks of their own deploy.
PLACES, WEATHER, CLOCK = (
    Function(
        name=name,
        handler=f"functions.tools.{name}.handler",
        timeout=15,
        memory=256,
        environment=frozenset(POWERTOOLS),
    )
    for name in ("places", "weather", "clock")
)
TOOLS = (PLACES, WEATHER, CLOCK)

LEASE_SECONDS = 60
ROUTES = ("POST /slack/events", "POST /slack/interactivity")

# A live owner's lease always has at least LEASE_SECONDS - LEASE_SECONDS / 3 to run, and a redelivery that
# meets it waits for that long: so many receives can be harmless ones. Three more are real attempts.
MAX_RECEIVE_COUNT = 3 + math.ceil(WORKER.timeout / (LEASE_SECONDS * 2 / 3))
CONTROL_MAX_RECEIVE_COUNT = 3 + math.ceil(CONTROL.timeout / (LEASE_SECONDS * 2 / 3))

QUESTIONS = Queue(
    name="questions",
    function=WORKER,
    visibility_timeout=WORKER.timeout + 30,
    max_concurrency=50,
    max_receive_count=MAX_RECEIVE_COUNT,
    retention=14 * 24 * 3600,
)
CONTROL_QUEUE = Queue(
    name="control",
    function=CONTROL,
    visibility_timeout=CONTROL.timeout + 30,
    max_concurrency=2,
    max_receive_count=CONTROL_MAX_RECEIVE_COUNT,
    retention=14 * 24 * 3600,
)
DEAD_LETTER_QUEUE = Queue(
    name="dead-letters",
    function=DEAD_LETTERS,
    visibility_timeout=DEAD_LETTERS.timeout + 30,
    max_concurrency=2,
    max_receive_count=None,
    retention=14 * 24 * 3600,
)
QUEUES = (QUESTIONS, CONTROL_QUEUE, DEAD_LETTER_QUEUE)
TABLE_KEYS = ("turn_id", "item")  # partition and sort key, both strings
TABLE_TTL_ATTRIBUTE = "expires_at"
