"""The ways of a turn whose points the matrix disturbs."""

from dataclasses import dataclass

from simulator.agent.scripts import SCRIPTS
from tests.faults.faults import Fault, given_up, held_back, killed_after, plays
from tests.faults.watch import Happening, Planned, Point

QUESTION = "@agent what's the weather in Chicago today?"

QUESTION_SENT = Point("receiver", "SQS SendMessage")
CLAIM = Point("worker", "DynamoDB PutItem (claim)")
TAKEN_OVER = Point("worker", "DynamoDB UpdateItem (take over)")
HOURGLASS_GONE = Point("worker", "Slack reactions.remove")
AGENT_ASKED = Point("worker", "Bedrock InvokeAgent")
PLACEHOLDER_POSTED = Point("worker", "Slack chat.postMessage (placeholder)")
FINAL_TEXT = Point("worker", "Slack chat.update (final)")
STREAM_STARTED = Point("worker", "Slack chat.startStream (stream 1)")


@dataclass(frozen=True)
class Scenario:
    """A turn, and the stages of it whose points are disturbed.

    Attributes:
        name, meaning: for the table.
        stages: see `Point.stage`.
        question: what the user writes.
        leads_there: what happens on the way to these stages.
        opening: what somebody else has written first, in whose thread the question then is; "" for nothing.
        retried: whether the asker presses Retry when the first attempt is over.
        approved: whether the agent asks before it acts, and the asker presses Approve.
        streamed: whether it is for a simulation in `stream` style.
    """

    name: str
    meaning: str
    stages: tuple[str, ...]
    question: str = QUESTION
    leads_there: tuple[tuple[Point, Happening], ...] = ()
    opening: str = ""
    retried: bool = False
    approved: bool = False
    streamed: bool = False

    @property
    def runs(self) -> int:
        """How often the agent may be started: once for each attempt, and once to be told a decision."""
        return 2 if self.retried or self.approved else 1

    def way(self) -> list[Planned]:
        return [Planned(point, happening) for point, happening in self.leads_there]


ANSWER = Scenario("an answer", "one message", ("receiver", "worker"))
SLOW = Scenario(
    "a slow answer",
    "the lease has to be renewed",
    ("worker",),
    question="@agent think aloud: what's the weather in Chicago today?",
)
LONG = Scenario("a long answer", "three messages", ("worker",), question="@agent long report for Chicago")
IN_THREAD = Scenario(
    "in a thread",
    "the agent is told what was said there",
    ("worker",),
    question="@agent what's the weather in Lima today?",
    opening="who flies to Lima?",
)
WAITS = Scenario(
    "a question that waits",
    "nobody claims it for a second, and it shows an hourglass until then",
    ("receiver", "control", "worker"),
    question="@agent what's the weather in Lima today?",
    leads_there=((QUESTION_SENT, held_back(1.2)), (CLAIM, held_back(1.5))),
    opening="who flies to Lima?",
)
CRASH = Scenario(
    "after a crash",
    "the worker was killed when its agent had been asked",
    ("worker, delivery 2",),
    leads_there=((AGENT_ASKED, killed_after),),
)
GIVEN_UP = Scenario(
    "given up",
    "the worker was killed before it could post anything, and this was the message's last receive",
    ("dead_letters",),
    leads_there=((PLACEHOLDER_POSTED, given_up),),
)
RETRY = Scenario(
    "retry",
    "the agent broke off, and the asker pressed Retry",
    ("receiver, attempt 2", "worker, attempt 2"),
    leads_there=((AGENT_ASKED, plays("cut")),),
    retried=True,
)
APPROVAL = Scenario(
    "approval",
    "the agent asks before it acts, and the asker presses Approve",
    ("worker", "control", "worker, delivery 2"),
    question="@agent send an e-mail: what's the weather in Chicago today?",
    approved=True,
)
SCENARIOS = (ANSWER, SLOW, LONG, IN_THREAD, WAITS, CRASH, GIVEN_UP, RETRY, APPROVAL)

STREAM = Scenario("a streamed answer", "one message, which Slack streams", ("worker",), streamed=True)
LONG_STREAM = Scenario(
    "a long streamed answer",
    "several streams, one after the other",
    ("worker",),
    question="@agent long report for Chicago",
    streamed=True,
)
STREAM_CRASH = Scenario(
    "after a crash of a stream",
    "the worker was killed when its stream was open and the ledger did not know it yet",
    ("worker, delivery 2",),
    leads_there=((STREAM_STARTED, killed_after),),
    streamed=True,
)
STREAM_GIVEN_UP = Scenario(
    "a stream given up",
    "the worker was killed with an open stream, and this was the message's last receive",
    ("dead_letters",),
    leads_there=((STREAM_STARTED, given_up),),
    streamed=True,
)
STREAM_APPROVAL = Scenario(
    "approval between streams",
    "the agent asks before it acts, and the asker presses Approve",
    ("worker", "worker, delivery 2"),
    question="@agent send an e-mail: what's the weather in Chicago today?",
    approved=True,
    streamed=True,
)
# In `stream` style.
STREAMED = (STREAM, LONG_STREAM, STREAM_CRASH, STREAM_GIVEN_UP, STREAM_APPROVAL)


def depends_on_luck(scenario: Scenario, point: Point) -> bool:
    """Whether a turn passes the point or not as it happens: it takes long, or its process is a new one."""
    if scenario is LONG_STREAM:  # how many streams it takes depends on the pieces that come
        return not point.call.endswith("(stream 2)")
    if scenario is LONG and point.call == "Slack chat.update (message 3)":  # if it was shown growing
        return True
    if point.call == "DynamoDB UpdateItem (received)":  # the first word of a process in this channel
        return True
    if point in (HOURGLASS_GONE, TAKEN_OVER):  # any question in a thread may have to wait for its process
        return scenario is not WAITS
    if point.call == "DynamoDB BatchGetItem":  # each half second
        return scenario is not SLOW
    if point.call.endswith("(renew)"):
        return scenario is not SLOW
    return "GetSecretValue" in point.call and scenario not in (ANSWER, GIVEN_UP)


# What the agent does instead of answering; the other scripts answer, or take longer than anybody waits here.
BREAKDOWNS = tuple(
    Fault(script.name, script.effect, plays(script.name))
    for script in SCRIPTS
    if script.name.endswith((" status", " in stream"))
    or script.name in ("cut", "cut in message", "cut after tools", "reset", "unmodelled error")
    or script.name in ("empty", "streaming denied after tools")
)
