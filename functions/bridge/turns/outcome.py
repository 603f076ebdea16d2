"""What became of one delivery of a turn."""

from dataclasses import dataclass
from enum import StrEnum

from functions.bridge.agents.failures import Failure


class Verdict(StrEnum):
    """What became of a delivery. The value is the word in logs and metrics."""

    ANSWERED = "answered"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    REFUSED_BY_SLACK = "refused_by_slack"
    APP_REFUSED = "app_refused"
    DUPLICATE = "duplicate"
    HELD = "held"
    OWED = "owed"
    LEASE_LOST = "lease_lost"
    UNAVAILABLE = "unavailable"
    PRESS_REFUSED = "press_refused"
    DROPPED = "dropped"
    STOPPED = "stopped"
    NOT_FOR_US = "not_for_us"


@dataclass
class Outcome:
    """What became of one delivery of a turn, for the log, the metrics and the queue.

    Attributes:
        verdict: see `Verdict`.
        failure: the trouble with which the turn ends, if any.
        detail: for the operator: what the agent or Slack said about it. Never message text.
        guardrails: the policies of guardrails that stepped in.
        first_text_seconds: from the delivery to the first piece of the answer in Slack, if there was one.
        app_refusal: Slack's name of the error with which it refused the app; "" when it did not.
        remedy: what the operator has to do about that.
        retry_in_seconds: until the message is delivered again; None: it is done with.
    """

    verdict: Verdict
    failure: Failure | None = None
    detail: str = ""
    guardrails: tuple[str, ...] = ()
    first_text_seconds: float | None = None
    app_refusal: str = ""
    remedy: str = ""
    retry_in_seconds: float | None = None

    def note(self, detail: str) -> None:
        """Add to `detail`: what the agent said of its own trouble is kept nowhere else."""
        self.detail = "; ".join(filter(None, [self.detail, detail]))
