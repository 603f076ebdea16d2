"""Many questions in many threads while one external call in twenty goes wrong and Slack's limits hold."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from functions.bridge.ledger.record import SETTLED
from simulator import wiring
from simulator.agent.weather import CITIES, City
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM
from simulator.slack.workspace import Message
from tests.e2e.bridge import Bridge
from tests.faults.faults import FAULTS, LEASE_SECONDS
from tests.faults.promise import EXPLANATION, STOPPED, messages_of, text_of, wait_until_quiet
from tests.faults.scenarios import BREAKDOWNS
from tests.faults.watch import PLACEHOLDER, Happening, Planned, Point, Watch

SHARE_OF_CALLS = 0.05
CHANNELS = ("general", "weather-demo", "weather-private", "dm")
THREADS_AT_ONCE = 20
CONCURRENCY = 6
TIME_SCALE = 0.1
# Slack's minute lasts 15 seconds.
TIER_SCALE = 0.25
PATIENCE = 120.0
# A message that could not be hidden, as SQS failed all the time, comes back after the queue's own time.
QUIET_PATIENCE = wiring.QUESTIONS.visibility_timeout + PATIENCE


@dataclass
class Report:
    """What became of the questions; of the lists nothing should be in any.

    Attributes:
        faults: how many happened, by name.
        states: how many turns ended how.
        rate_limited: how many calls were beyond Slack's limits.
    """

    questions: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    rate_limited: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        states = ", ".join(f"{number} {state}" for state, number in sorted(self.states.items()))
        return (
            f"{self.questions} questions, {self.faults.total()} faults of {len(self.faults)} kinds, "
            f"{self.rate_limited} calls beyond Slack's limits: {states}; {len(self.lost)} lost, "
            f"{len(self.twice)} twice, {len(self.stuck)} stuck, {len(self.out_of_order)} threads out of order"
        )


@contextmanager
def simulation() -> Iterator[Simulation]:
    with Simulation(
        lease_seconds=LEASE_SECONDS,
        time_scale=TIME_SCALE,
        concurrency=CONCURRENCY,
        notify_after_seconds=900,  # a mention would be one more message
    ) as running:
        running.slack.tiers.switch(True, TIER_SCALE)
        yield running


def soak(simulation: Simulation, *, threads: int, questions: int, seed: int) -> Report:
    """Asks so many questions in each of so many threads and waits until all is over."""
    report = Report()
    watch = Watch(simulation)
    watch.plan_of_all = lambda: [_Chance(random.Random(f"{seed} {len(watch.turns)}"), report.faults)]
    asker = _Asker(Bridge(simulation), watch)
    with ThreadPoolExecutor(THREADS_AT_ONCE) as pool:
        talks = list(pool.map(lambda number: asker.talk(number, questions, seed), range(threads)))
    if not wait_until_quiet(asker.bridge, QUIET_PATIENCE):
        report.stuck.append("the queues are not empty")
    for talk in talks:
        _judge(talk, asker.bridge, report)
    calls = simulation.slack.web_api.calls
    report.rate_limited = sum(call.status == 429 for call in calls)
    return report


class _Chance(Planned):
    """Something happens to one call in twenty, whichever it is."""

    def __init__(self, chance: random.Random, happened: Counter[str]) -> None:
        super().__init__(Point("*", "*"), happening=lambda incident: incident.perform(), times=0)
        self._chance = chance
        self._happened = happened
        self._outage: Planned | None = None

    def take(self, point: Point) -> Happening | None:
        if self._outage and (happening := self._outage.take(point)):
            return happening
        if self._chance.random() >= SHARE_OF_CALLS:
            return None
        faults = FAULTS + BREAKDOWNS if "InvokeAgent" in point.call else FAULTS
        fault = self._chance.choice([fault for fault in faults if fault.concerns(point.call)])
        self._happened[fault.name] += 1
        self._outage = Planned(point, fault.happening, fault.times - 1)
        return fault.happening


@dataclass
class _Question:
    """A question about a city."""

    where: dict[str, Any]
    city: City

    @property
    def turn_id(self) -> str:
        return f"{TEAM.id}:{self.where['channel']}:{self.where['ts']}"


class _Asker:
    """Somebody who sometimes waits for an answer and sometimes does not."""

    def __init__(self, bridge: Bridge, watch: Watch) -> None:
        self.bridge = bridge
        self._watch = watch
        # The receiver has processes for so many, a few more than are asked at once.
        self._may_ask = threading.Semaphore(CONCURRENCY - 2)

    def talk(self, number: int, count: int, seed: int) -> list[_Question]:
        """The questions of a thread, when they are over."""
        mood = random.Random(f"{seed} {number}")
        channel = CHANNELS[number % len(CHANNELS)]
        questions: list[_Question] = []
        for city in mood.sample(CITIES, count):
            if questions and mood.random() < 0.5:
                self._wait(questions[-1])
            thread = {"thread_ts": questions[0].where["ts"]} if questions else {}
            questions.append(self._ask(city, channel, thread))
        for question in questions:
            self._wait(question)
        return questions

    def _ask(self, city: City, channel: str, thread: dict[str, str]) -> _Question:
        """Asks and waits until Slack has delivered the question, or has given up."""
        with self._may_ask:
            text = f"@agent what's the weather in {city.name} today?"
            where = self.bridge.delivered(self.bridge.say(text, channel=channel, **thread))
        return _Question(where, city)

    def _wait(self, question: _Question) -> None:
        turns = self._watch.turns
        self._watch.wait(lambda: question.turn_id in turns and turns[question.turn_id].is_settled, PATIENCE)


def _judge(questions: list[_Question], bridge: Bridge, report: Report) -> None:
    """Looks at a thread."""
    thread = questions[0].where
    messages = messages_of(thread, bridge)
    runs = [run for run in bridge.simulation.agent.invocations if run.session_id.endswith(thread["ts"])]
    begun: list[float] = []
    posted: list[str] = []
    for question in questions:
        state = bridge.state(question.where)
        replies = [message for message in messages if _turn_of(message) == question.turn_id]
        texts = [text_of(reply) for reply in replies]
        # What comes before the question, if anything does, tells of other questions.
        asked = [(run, run.input_text.rpartition("[end of quotation ")[2]) for run in runs]
        its_runs = [run.started_at for run, text in asked if question.city.name in text]
        begun += its_runs
        # That a stream was stopped is said once, best effort: such a post may take effect late.
        posted += [reply.ts for reply in replies if state != "stopped"]
        report.questions += 1
        report.states[state or "unknown"] += 1
        name = f"{question.turn_id} {state}: {texts}"
        if not texts or (state == "answered" and f"**{question.city.name}**" not in texts[0]):
            report.lost.append(name)
        ending = STOPPED if state == "stopped" else EXPLANATION
        explained = state == "answered" or (texts and ending.search(texts[-1]))
        if state not in SETTLED or PLACEHOLDER in texts or not explained:
            report.stuck.append(name)
        if len(replies) > 1 or len(its_runs) > 1:
            report.twice.append(name)
    if begun != sorted(begun) or posted != sorted(posted):
        report.out_of_order.append(f"{[question.turn_id for question in questions]} {begun} {posted}")


def _turn_of(message: Message) -> str:
    payload = (message.metadata or {}).get("event_payload", {})
    return str(payload.get("turn_id", ""))
