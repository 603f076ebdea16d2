"""The figures that count: ratios and goals first, then what they come from, and what a question costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench import cost, latencies, receiver, report, texts, worker
from bench.receiver import Receiver, Receivers
from bench.worker import COLD, IDLE, WARM, Worker

# The first of the three functions of AWS's own sample, in Node, uses so much of a processor for its cold
# start and first event, by Bolt's. Found in another comparison over TLS, side by side, with Node 20.
# https://github.com/aws-samples/sample-Integrate-Amazon-Bedrock-Agents-with-Slack
REFERENCE_BY_BOLT = 0.39

# Before any of it was made faster, at commit 43eb9ab: the worker's start and first work as in
# `Figures.worker_start`, and what Bolt used of a processor for its cold start in the same run, in seconds. A
# machine that is faster than that one is so for Bolt as well.
WORKER_BEFORE = 1.64
BOLT_BEFORE = 0.303


@dataclass(frozen=True)
class Goal:
    """A figure, the most that it should be, and what it was in that run before."""

    what: str
    most: float
    before: float
    found: float
    unit: str = ""

    def row(self) -> tuple[str, ...]:
        judged = "met" if self.found <= self.most else f"{self.found / self.most:.1f} times as much"
        return self.what, *map(self._shown, (self.most, self.before, self.found)), judged

    def _shown(self, value: float) -> str:
        return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}{self.unit}"


@dataclass(frozen=True)
class Figures:
    receivers: Receivers
    worker: Worker
    texts: dict[str, dict[int, float]]

    @property
    def worker_start(self) -> float:
        """Seconds to initialise, the least as others use the machine, and from there to "Processing…"."""
        return min(self.worker.init) + median(self.worker.questions[COLD].waiting)

    @property
    def receiver_start(self) -> float:
        """Likewise, to the first event's 200."""
        return min(self.receivers.ours.init) + median(self.receivers.ours.first)


def measure() -> None:
    figures = Figures(receiver.measure(), worker.measure(), texts.measure())
    _ratios(figures.receivers)
    _goals(figures)
    _receivers(figures.receivers)
    _worker(figures.worker)
    _texts(figures.texts)
    _cost(figures)


def _ratios(found: Receivers) -> None:
    report.heading("Ratios: the receiver beside others, in one run")
    ours = found.ours
    rows = [
        ("cold start and first event, processor", _by(ours.cold_work, found, "cold_work")),
        ("cold start and first event, by the clock", _by(ours.cold, found, "cold")),
        ("first event after the start, processor", _by(ours.first_work, found, "first_work")),
        ("an event when warm, processor", _by(ours.warm_work, found, "warm_work")),
    ]
    node = f"{_ratio(ours.cold_work, found.bolt.cold_work) / REFERENCE_BY_BOLT:.2f}"
    report.table(
        ("the bridge's receiver", "÷ Bolt", "÷ the AWS sample's (Node)", "÷ floor"),
        [(what, bolt, node if not at else "", floor) for at, (what, (bolt, floor)) in enumerate(rows)],
    )


def _by(ours: Sequence[float], found: Receivers, figure: str) -> tuple[str, str]:
    bolt, floor = (f"{_ratio(ours, getattr(other, figure)):.2f}" for other in (found.bolt, found.floor))
    return bolt, floor


def _ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios in each round."""
    return median(a / b for a, b in zip(ours, theirs, strict=True))


def goals(figures: Figures) -> list[Goal]:
    ours, bolt = figures.receivers.ours, figures.receivers.bolt
    by_bolt = _ratio(ours.cold_work, bolt.cold_work)
    questions = figures.worker.questions
    slack = latencies.SLACK
    worker_before = WORKER_BEFORE * median(bolt.cold_work) / BOLT_BEFORE
    question = cost.measured(figures.receivers, figures.worker)
    return [
        Goal("receiver, cold: processor by Bolt's", 0.25, 0.81, by_bolt),
        Goal("receiver, cold: processor by the AWS sample's", 0.65, 2.08, by_bolt / REFERENCE_BY_BOLT),
        Goal("receiver: modules", 160, 478, ours.modules),
        Goal("receiver: memory", 30, 49.7, median(ours.memory), " MB"),
        Goal("receiver, warm: processor for an event", 1.1, 2.58, 1000 * median(ours.warm_work), " ms"),
        Goal("receiver: processor for the first event", 3, 42.2, 1000 * median(ours.first_work), " ms"),
        Goal(
            "worker, cold: to “Processing…”, less Slack's latency",
            60,
            1142,
            1000 * (median(questions[COLD].waiting) - slack),
            " ms",
        ),
        Goal(
            "worker, connections dropped: the same",
            50,
            341,
            1000 * (median(questions[IDLE].waiting) - slack),
            " ms",
        ),
        Goal(
            "worker, cold: to the agent, less Slack's latency",
            250,
            1111,
            1000 * (median(questions[COLD].asked) - slack),
            " ms",
        ),
        Goal("worker, warm: to the agent", 100, 190, 1000 * median(questions[WARM].asked), " ms"),
        Goal("worker: start and first work, by before", 0.35, 1.0, figures.worker_start / worker_before),
        Goal(
            "both cold: to “Processing…”, less Slack's latency",
            750,
            1860,
            1000 * (figures.receiver_start + figures.worker_start - slack),
            " ms",
        ),
        Goal("a million questions of 15 s", 40, 70.5, cost.per_million(cost.ours(question, 15)), " $"),
        Goal("processor for a delta", 0.45, 0.59, 1000 * figures.worker.delta_work, " ms"),
        *(
            Goal(f"{shape}, 60,000 characters", 200, before, 1000 * figures.texts[shape][texts.LONGER], " ms")
            for shape, before in zip(texts.SHAPES, (430, 149, 96), strict=True)
        ),
    ]


def _goals(figures: Figures) -> None:
    report.heading("Goals")
    report.table(("", "at most", "before", "found", ""), [goal.row() for goal in goals(figures)])


def _receivers(found: Receivers) -> None:
    report.heading(f"Receiver: median of {receiver.ROUNDS} cold starts, side by side")
    columns = {"bridge": found.ours, "Bolt": found.bolt, "floor": found.floor}

    def row(what: str, figure: str) -> tuple[str, ...]:
        return what, *(report.median(getattr(each, figure)) for each in columns.values())

    def count(what: str, each: list[float]) -> tuple[str, ...]:
        return what, *(f"{value:.0f}" for value in each)

    of_all: list[Receiver] = list(columns.values())
    report.table(
        ("", *columns),
        [
            row("process start to initialised", "init"),
            row("processor for it", "init_work"),
            row("first event, to the 200", "first"),
            row("processor for it", "first_work"),
            row("warm event, to the 200", "warm"),
            row("processor for it", "warm_work"),
            count("memory, MB (most, resident)", [median(each.memory) for each in of_all]),
            count("modules after the first event", [each.modules for each in of_all]),
        ],
    )
    report.table(
        (f"the bridge, warm: {receiver.ACKS} events of a kind", "p50", "p99"),
        [(kind, report.median(seconds), report.p99(seconds)) for kind, seconds in found.acks.items()],
    )
    report.note(f"Calls of AWS between a verified event and its 200: {found.calls}.")


def _worker(found: Worker) -> None:
    report.heading(f"Worker: median of {worker.ROUNDS} rounds of three short questions")
    names = {COLD: "cold", IDLE: "connections dropped", WARM: "warm"}
    columns = [found.questions[kind] for kind in names]
    report.table(
        ("from the queue", *names.values()),
        [
            ("to “Processing…”, Slack's 150 ms included", *(report.median(each.waiting) for each in columns)),
            ("to the agent's being asked", *(report.median(each.asked) for each in columns)),
            ("processor, for the whole question", *(report.median(each.work) for each in columns)),
            (
                "connections opened: AWS, Slack, agent",
                *(", ".join(str(count) for count in each.connections[-1].values()) for each in columns),
            ),
            ("calls of AWS", *(str(len(each.calls[-1])) for each in columns)),
            ("calls of Slack's in the thread", *(str(each.slack_calls[-1]) for each in columns)),
        ],
    )
    report.note(
        f"Process start to initialised: {report.median(found.init)}, {report.median(found.init_work)} of a "
        f"processor. One of {found.deltas:,} deltas in a minute: {1000 * found.delta_work:.2f} ms of it."
    )


def _texts(found: dict[str, dict[int, float]]) -> None:
    report.heading("Long texts: processor for all of an answer, in 16 edits")
    report.table(
        ("", *(f"{length:,} characters" for length in (texts.SHORTER, texts.LONGER))),
        [(shape, *map(report.milliseconds, by_length.values())) for shape, by_length in found.items()],
    )


def _cost(figures: Figures) -> None:
    report.heading("Dollars for a million questions, without the agent")
    question = cost.measured(figures.receivers, figures.worker)
    parts = {seconds: cost.ours(question, seconds) for seconds in cost.LENGTHS}
    warm = median(figures.receivers.bolt.warm)

    def row(what: str, dollars: Sequence[float]) -> tuple[str, ...]:
        return what, *(f"{cost.MILLION * each:,.1f}" for each in dollars)

    report.table(
        ("an agent that takes", *(f"{seconds} s" for seconds in cost.LENGTHS)),
        [
            row("the bridge", [sum(of_length.values()) for of_length in parts.values()]),
            row("Bolt with lazy listeners", [cost.bolt(warm, seconds) for seconds in cost.LENGTHS]),
            row("the AWS sample", [cost.reference(seconds) for seconds in cost.LENGTHS]),
            *(
                row(f"of the bridge's: {name}", [of_length[name] for of_length in parts.values()])
                for name in parts[cost.LENGTHS[0]]
            ),
        ],
    )
    report.note(
        f"Measured for a short question: {question.worker:.2f} s of the worker besides the agent's, "
        f"{question.write_units} write units, {question.sqs_requests} requests of SQS, "
        f"{question.logged:,} bytes of logs."
    )
