"""What functions behind queues share: from an SQS event to an outcome, its log line, metrics and answer."""

import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from typing import Any, Protocol

from functions import telemetry
from functions.adapters.aws.audit import AuditLog
from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.ledger import DynamoLedger
from functions.adapters.aws.pauses import DynamoPauses
from functions.adapters.aws.queue import SqsKeptMessages, SqsMessage
from functions.adapters.aws.slots import DynamoSlots
from functions.adapters.aws.stops import DynamoStops
from functions.adapters.aws.waiting import DynamoWaiting
from functions.adapters.beside import beside
from functions.adapters.clock import SystemClock
from functions.adapters.slack.history import SlackHistory
from functions.adapters.slack.user_groups import SlackUserGroups
from functions.adapters.ticker import ThreadTicker
from functions.bridge.admission.access import Access
from functions.bridge.delivery import LONGEST_BACK_OFF, Delivery
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.queue_commands import (
    Ask,
    Command,
    ControlCommand,
    MalformedCommand,
    Ping,
    from_json,
    lost_question,
)
from functions.bridge.turns.outcome import Outcome, Verdict
from functions.bridge.turns.ports import Ports
from functions.environment import ConsumerSettings
from functions.installation import Installation
from functions.settings import Settings

# Seconds at the end of an invocation in which no write is begun any more.
RESERVE_SECONDS = 5.0
# So long the beginning of an execution environment waits for what it warms, in seconds.
WARM_SECONDS = 2.0
# So many calls of DynamoDB begin at once: the claim, the person's slot and the channel's.
CLAIM_CALLS = 3
# So often a message that is no command is received: during a deployment another version may read it.
MALFORMED_RECEIVES = 10
# What always breaks behind the last queue is not tried each minute for two weeks; SQS hides it for up to 12
# hours. In front of that queue a message must come to its last receive before it expires.
LONGEST_BACK_OFF_OF_DEAD_LETTERS = 4 * 3600.0

Work = Callable[[Command, Delivery, Ports], Outcome]

# What an operator need not look into.
_AS_IT_SHOULD_BE = (
    Verdict.ANSWERED,
    Verdict.DONE,
    Verdict.DUPLICATE,
    Verdict.NOT_ADDRESSED,
    Verdict.PRESS_REFUSED,
    Verdict.REFUSED,
    Verdict.STOPPED,
    Verdict.WAITING,
    Verdict.AWAITING_APPROVAL,
    Verdict.DECIDED,
)
# How a turn ends that an agent was to answer.
_ANSWERS = (Verdict.ANSWERED, Verdict.FAILED, Verdict.INTERRUPTED)


class LambdaContext(Protocol):
    """What is used of Lambda's context object."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


class Consumer:
    """Reads one command per invocation (the batch size is 1); made once per execution environment.

    Args:
        is_last: whether nothing comes after its queue. There at once, and elsewhere after some receives, the
            thread of a message that is no command is told that it is lost, if it says which thread that is.

    Attributes:
        settings: what bridge.toml says.
        access: who may ask whom.
        installation: the Slack app.
    """

    def __init__(self, environment: Mapping[str, str], *, is_last: bool = False) -> None:
        self._is_last = is_last
        self.settings = Settings.read(environment)
        agents = self.settings.agents.items()
        self.access = Access(self.settings.access, {name: one.access for name, one in agents})
        own = ConsumerSettings.read(environment)
        clock = SystemClock()
        self.installation = Installation(own, clock)
        self._queue_url = own.queue_url
        self._sqs, self._dynamodb = JsonClient("sqs"), JsonClient("dynamodb")
        self._ports = Ports(
            chat=self.installation.chat,
            history=SlackHistory(self.installation.chat),
            ledger=DynamoLedger(self._dynamodb, own.ledger_table, clock),
            audit=AuditLog(JsonClient("logs"), clock, group=own.audit_log_group, stream=own.audit_log_stream),
            slots=DynamoSlots(self._dynamodb, own.ledger_table, clock, self.settings.fairness),
            stops=DynamoStops(self._dynamodb, own.ledger_table, clock),
            groups=SlackUserGroups(self.installation.chat, clock),
            pauses=DynamoPauses(self._dynamodb, own.ledger_table),
            kept=SqsKeptMessages(self._sqs, own.questions_queue_url),
            waiting=DynamoWaiting(self._dynamodb, own.ledger_table, clock),
            clock=clock,
            beside=beside,
            ticker=ThreadTicker(),
            lease_seconds=self.settings.lease_seconds,
            notify_after=self.settings.reply.notify_after_seconds,
        )

    def warm(self) -> None:
        """Read the token and connect, now that Lambda does not throttle the processor yet.

        What fails is left to whoever needs it.
        """
        calls = [self.installation.warm, self._sqs.connect, *[self._dynamodb.connect] * CLAIM_CALLS]
        threads = [Thread(target=call, daemon=True) for call in calls]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WARM_SECONDS)

    def consume(self, event: Mapping[str, Any], context: LambdaContext, work: Work) -> dict[str, Any]:
        """Do `work` on the command that the event brings.

        Returns:
            The batch response: empty when the message is done with, else naming it, so that it is
            delivered again. `ReportBatchItemFailures` is on.
        """
        with telemetry.invocation():
            limited_before = self.installation.chat.rate_limits
            response = self._consume(event, context, work)
            if limited := self.installation.chat.rate_limits - limited_before:
                telemetry.count(telemetry.SLACK_RATE_LIMITS, limited)
            return response

    def _consume(self, event: Mapping[str, Any], context: LambdaContext, work: Work) -> dict[str, Any]:
        record = event["Records"][0]
        message = SqsMessage(self._sqs, self._queue_url, record["receiptHandle"])
        command: Command | Ping | None
        remaining = context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS
        deadline = self._ports.clock.now() + remaining
        delivery = Delivery(message, context.aws_request_id, deadline, _receives(record))
        gives_up = self._is_last or delivery.receive_count >= MALFORMED_RECEIVES
        try:
            command = from_json(record["body"])
        except MalformedCommand as exc:
            telemetry.log(telemetry.MESSAGE_MALFORMED, message_id=record["messageId"], reason=str(exc))
            telemetry.count(telemetry.TURNS, verdict="malformed")
            command = lost_question(record["body"], record["messageId"]) if gives_up else None
        if command is None:
            with suppress(ServiceUnavailable):
                message.extend_visibility(delivery.back_off(delivery.receive_count))
            return _response(record, again=not gives_up)
        if isinstance(command, Ping):
            if not self._is_last:
                telemetry.count(telemetry.HEARTBEAT, 1.0, what="worker")
            return _response(record, again=False)
        try:
            outcome = work(command, delivery, self._ports)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is told under the user's reference
            _report_defect(command, exc, record)
            longest = LONGEST_BACK_OFF_OF_DEAD_LETTERS if self._is_last else LONGEST_BACK_OFF
            with suppress(ServiceUnavailable):
                message.extend_visibility(delivery.back_off(delivery.receive_count, longest=longest))
            return _response(record, again=True)
        _report(command, outcome, record, now=self._ports.clock.now())
        if outcome.retry_in_seconds is not None:
            with suppress(ServiceUnavailable):
                message.extend_visibility(outcome.retry_in_seconds)
        return _response(record, again=outcome.is_kept or outcome.retry_in_seconds is not None)


def _response(record: Mapping[str, Any], *, again: bool) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]}] if again else []}


def _receives(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _facts(command: Command) -> dict[str, Any]:
    """What identifies a command in the log."""
    if isinstance(command, ControlCommand):
        return {"command": command.name, "command_id": command.deduplication_id}
    turn = command.turn
    return {"command": command.name, "turn_id": turn.turn_id, "reference": turn.reference}


def _report_defect(command: Command, exc: Exception, record: Mapping[str, Any]) -> None:
    """An exception that nobody foresaw: its type and its place, as its text may quote what was said."""
    frames = traceback.extract_tb(exc.__traceback__)
    telemetry.log(
        telemetry.COMMAND_BROKE if isinstance(command, ControlCommand) else telemetry.TURN_BROKE,
        **_facts(command),
        error=type(exc).__name__,
        places=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        receive_count=_receives(record),
    )
    _count_verdict(command, "error")


def _of_turn(command: Command, outcome: Outcome, now: float) -> dict[str, Any]:
    """Who answered, with how many tokens, and when what happened.

    That is in seconds after the message of the turn was sent in Slack.
    """
    if isinstance(command, ControlCommand):
        return {}
    times = {
        "claimed_after": outcome.claimed_at,
        "asked_after": outcome.asked_at,
        "first_text_after": outcome.first_text_at,
        "ended_after": now,
    }
    sent = float(command.turn.ts)
    after = {name: None if time is None else round(time - sent, 3) for name, time in times.items()}
    usage = outcome.usage
    tokens = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens} if usage else {}
    return {"agent": outcome.agent or None, **tokens, **after}


def _report(command: Command, outcome: Outcome, record: Mapping[str, Any], *, now: float) -> None:
    of_turn = _of_turn(command, outcome, now)
    is_well = outcome.verdict in _AS_IT_SHOULD_BE and outcome.failure is None
    telemetry.log(
        telemetry.COMMAND_HANDLED if isinstance(command, ControlCommand) else telemetry.TURN_HANDLED,
        warn=not is_well,
        verdict=outcome.verdict,
        **_facts(command),
        failure=outcome.failure,
        refusal=outcome.refusal,
        detail=outcome.detail,
        guardrails=outcome.guardrails,
        first_text_seconds=outcome.first_text_seconds,
        retry_in_seconds=outcome.retry_in_seconds,
        receive_count=_receives(record),
        **of_turn,
    )
    if outcome.app_refusal:
        telemetry.log(
            telemetry.APP_REFUSED,
            **_facts(command),
            error=outcome.app_refusal,
            remedy=outcome.remedy,
            retry_in_seconds=outcome.retry_in_seconds,
        )
        telemetry.count(telemetry.APP_REFUSALS, error=outcome.app_refusal)
    if (decided := outcome.approval) is not None:
        telemetry.log(
            telemetry.APPROVAL_DECIDED,
            **_facts(command),
            decision=decided.decided,
            seconds=decided.seconds,
            tools=decided.tools,
            arguments_digest=decided.arguments_digest,
        )
        telemetry.count(telemetry.APPROVALS, decision=decided.decided)
        telemetry.count(telemetry.TIME_TO_DECISION, decided.seconds)
    if outcome.audit_trouble:
        telemetry.log(telemetry.AUDIT_NOT_WRITTEN, **_facts(command), reason=outcome.audit_trouble)
        telemetry.count(telemetry.AUDIT_FAILURES)
    _count_verdict(command, outcome.verdict)
    if not isinstance(command, ControlCommand) and outcome.verdict in _ANSWERS:
        telemetry.count(telemetry.FAILED_ANSWERS, float(outcome.verdict is not Verdict.ANSWERED))
    if outcome.failure is not None and outcome.retry_in_seconds is None:  # else the next delivery counts it
        telemetry.count(telemetry.FAILURES, failure=outcome.failure)
    if outcome.refusal is not None and outcome.retry_in_seconds is None:
        telemetry.count(telemetry.REFUSALS, reason=outcome.refusal)
    if outcome.guardrails:
        telemetry.count(telemetry.GUARDRAILS, guardrail="intervened")
    if outcome.usage is not None:
        telemetry.count(telemetry.INPUT_TOKENS, outcome.usage.input_tokens, agent=outcome.agent)
        telemetry.count(telemetry.OUTPUT_TOKENS, outcome.usage.output_tokens, agent=outcome.agent)
    if outcome.first_text_seconds is not None:
        telemetry.count(telemetry.TIME_TO_FIRST_TEXT, outcome.first_text_seconds)
    if isinstance(command, Ask) and outcome.verdict is Verdict.ANSWERED:
        telemetry.count(telemetry.TIME_TO_ANSWER, of_turn["ended_after"])


def _count_verdict(command: Command, verdict: str) -> None:
    if isinstance(command, ControlCommand):
        telemetry.count(telemetry.COMMANDS, command=command.name, verdict=verdict)
    else:
        telemetry.count(telemetry.TURNS, verdict=verdict)
