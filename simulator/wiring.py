"""Functions, queues and routes as data: the simulator's copy of what `infra/` deploys.

The demo runs without Node and so cannot read the CloudFormation template. Numbers and names that both need
are in `config/`; `tests/infra/test_wiring.py` compares the rest with the synthesised template.
"""

from dataclasses import dataclass

from config import deployment
from config.bridge_toml import Worker


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


# The variables of every function behind a queue: `functions.environment.ConsumerSettings`.
CONSUMER = frozenset(
    {"SERVICE_NAME", "QUEUE_URL", "BOT_TOKEN_SECRET_ID", "LEDGER_TABLE", "AUDIT_LOG_GROUP", "SETTINGS_FILE"}
)

RECEIVER = Function(
    name="receiver",
    handler="functions.receiver.handler",
    timeout=deployment.RECEIVER_TIMEOUT,
    memory=deployment.RECEIVER_MEMORY,
    environment=frozenset(
        {"SERVICE_NAME", "QUEUE_URL", "CONTROL_QUEUE_URL", "SIGNING_SECRET_ID", "FOLLOW_UPS"}
    ),
)
WORKER = Function(
    name="worker",
    handler="functions.worker.handler",
    timeout=Worker.timeout_seconds,
    memory=deployment.CONSUMER_MEMORY,
    environment=CONSUMER,
)
CONTROL = Function(
    name="control",
    handler="functions.control.handler",
    timeout=deployment.CONTROL_TIMEOUT,
    memory=deployment.CONSUMER_MEMORY,
    environment=CONSUMER | {"QUESTIONS_QUEUE_URL"},
)
DEAD_LETTERS = Function(
    name="dead_letters",
    handler="functions.dead_letters.handler",
    timeout=deployment.DEAD_LETTERS_TIMEOUT,
    memory=deployment.CONSUMER_MEMORY,
    environment=CONSUMER,
)
HEARTBEAT = Function(
    name="heartbeat",
    handler="functions.heartbeat.handler",
    timeout=deployment.HEARTBEAT_TIMEOUT,
    memory=deployment.CONSUMER_MEMORY,
    environment=frozenset({"SERVICE_NAME", "BOT_TOKEN_SECRET_ID", "SETTINGS_FILE"}),
)
FUNCTIONS = (RECEIVER, WORKER, CONTROL, DEAD_LETTERS, HEARTBEAT)
# What a schedule runs each hour.
HOURLY = (HEARTBEAT, RECEIVER)

# The sample agent's tools, which stacks of their own deploy.
PLACES, WEATHER, CLOCK = (
    Function(
        name=name,
        handler=f"sample.tools.{name}.handler",
        timeout=15,
        memory=256,
        environment=frozenset(),
    )
    for name in ("places", "weather", "clock")
)
TOOLS = (PLACES, WEATHER, CLOCK)

# A tool that an agent asks the bridge to run.
SEND_EMAIL = Function(
    name="send-email",
    handler="simulator.send_email.handler",
    timeout=15,
    memory=256,
    environment=frozenset(),
)

ROUTES = tuple(f"POST {path}" for path in (deployment.EVENTS, deployment.INTERACTIVITY))

QUESTIONS = Queue(
    name="questions",
    function=WORKER,
    visibility_timeout=WORKER.timeout + deployment.VISIBILITY_MARGIN,
    max_concurrency=Worker.max_concurrency,
    max_receive_count=deployment.QUESTION_RECEIVES,
    retention=deployment.RETENTION,
)
CONTROL_QUEUE = Queue(
    name="control",
    function=CONTROL,
    visibility_timeout=CONTROL.timeout + deployment.VISIBILITY_MARGIN,
    max_concurrency=deployment.CONTROL_CONCURRENCY,
    max_receive_count=deployment.CONTROL_RECEIVES,
    retention=deployment.RETENTION,
)
DEAD_LETTER_QUEUE = Queue(
    name="dead-letters",
    function=DEAD_LETTERS,
    visibility_timeout=DEAD_LETTERS.timeout + deployment.VISIBILITY_MARGIN,
    max_concurrency=deployment.DEAD_LETTERS_CONCURRENCY,
    max_receive_count=None,
    retention=deployment.RETENTION,
)
QUEUES = (QUESTIONS, CONTROL_QUEUE, DEAD_LETTER_QUEUE)
