"""A person's and an operator's view of a running simulation."""

import hashlib
from typing import Any

from functions.bridge.ledger.record import SETTLED
from simulator import wiring
from simulator.agent.service import Invocation
from simulator.aws import TABLE
from simulator.simulation import Simulation
from simulator.slack.seed import TEAM
from tests.e2e.person import PATIENCE, Operator


class Bridge(Operator):
    """A person and an operator, who also look behind the scenes of the simulation."""

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation.url, simulation.journal, dynamodb=simulation.aws.dynamodb, table=TABLE)
        self.simulation = simulation

    # --- what a person does ---

    def ask(self, text: str, **more: Any) -> dict[str, Any]:
        """Post a question and wait until it is settled."""
        question = self.say(text, **more)
        self.settled(question)
        return question

    def ask_in_parallel(self, text: str, **more: Any) -> dict[str, Any]:
        """Like `ask`, while other questions may still be on the queue."""
        question = self.say(text, **more)
        self.until(lambda: self.state(question) in SETTLED)
        return question

    def delivered(self, question: dict[str, Any]) -> dict[str, Any]:
        """Wait until Slack has delivered the question, or has given up; Slack promises no order."""
        for event_id in question["event_ids"]:
            delivery = self.simulation.slack.events.delivery(event_id)
            assert delivery is not None
            delivery.done.wait(PATIENCE)
        return question

    def streams(self, question: dict[str, Any]) -> list[str]:
        """The states of the streams in the question's thread."""
        return [reply["streaming_state"] for reply in self.replies(question) if "streaming_state" in reply]

    def told(self, question: dict[str, Any], user: str) -> list[str]:
        """What a person alone was told in the question's thread, for as long as their Slack shows it."""
        calls = self.simulation.slack.web_api.calls
        return [
            call.args["text"]
            for call in calls
            if call.method == "chat.postEphemeral"
            and call.result["ok"]
            and (call.args["channel"], call.args["thread_ts"]) == (question["channel"], question["ts"])
            and self.simulation.slack.workspace.users[call.args["user"]].name == user
        ]

    # --- what an operator knows ---

    def queues_are_empty(self) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        for queue in wiring.QUEUES:
            url = self.simulation.aws.queue_url(queue)
            counts = self.simulation.aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)  # type: ignore[arg-type]
            if any(int(count) for count in counts["Attributes"].values()):
                return False
        return True

    def settled(self, question: dict[str, Any]) -> str:
        """Wait until the turn is over and its message off the queue; its state."""
        self.until(lambda: self.state(question) in SETTLED)
        self.until(self.queues_are_empty)
        root = question.get("thread_ts") or question["ts"]
        assert self.simulation.slack.workspace.session_status(question["channel"], root) == "active"
        return self.state(question)

    def runs(self, question: dict[str, Any]) -> int:
        """How often the agent was started in the question's thread."""
        return len(self.invocations(question))

    def invocations(self, question: dict[str, Any]) -> list[Invocation]:
        """The agent's runs in the question's thread. AgentCore knows a thread by a hash of its id."""
        thread = f"{TEAM.id}:{question['channel']}:{question.get('thread_ts') or question['ts']}"
        sessions = {thread, hashlib.sha256(thread.encode()).hexdigest()}
        return [run for run in self.simulation.agent.invocations if run.session_id in sessions]

    def logs(self) -> str:
        return "\n".join(
            line for function in wiring.FUNCTIONS for line in self.simulation.lambdas.logs(function.name)
        )

    def last_words(self) -> str:
        return f"{super().last_words()}; logs: {self.logs()[-2000:]}"
