"""What only a deployment knows, from environment variables that the template sets (`infra/`).

A fake of Slack sets `SLACK_API_URL` and `SLACK_FILES_ORIGIN`. The receiver reads nothing else, so this module
loads little.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingError(Exception):
    """A setting is missing or not allowed. The text names the setting, its value and what is allowed."""


@dataclass(frozen=True)
class ReceiverSettings:
    """The receiver's settings: the queues that it sends to, and the signing secret.

    Attributes:
        follow_ups: `conversation.follow_ups` of bridge.toml.
    """

    queue_url: str
    control_queue_url: str
    signing_secret_id: str
    follow_ups: frozenset[str] = frozenset()

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ReceiverSettings":
        queue_url = _required(environment, "QUEUE_URL")
        return cls(
            queue_url=queue_url,
            # During a deployment the variable may be missing for seconds. The worker reads all commands.
            control_queue_url=environment.get("CONTROL_QUEUE_URL") or queue_url,
            signing_secret_id=_required(environment, "SIGNING_SECRET_ID"),
            follow_ups=frozenset(environment.get("FOLLOW_UPS", "").split()),
        )


@dataclass(frozen=True)
class HeartbeatSettings:
    """The heartbeat's settings. `slack_api_url`: the base URL of Slack's Web API."""

    bot_token_secret_id: str
    slack_api_url: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "HeartbeatSettings":
        return cls(
            bot_token_secret_id=_required(environment, "BOT_TOKEN_SECRET_ID"),
            slack_api_url=environment.get("SLACK_API_URL") or ConsumerSettings.slack_api_url,
        )


@dataclass(frozen=True)
class ConsumerSettings:
    """What each function behind a queue needs: the queue, the bot token, the ledger, the audit log.

    Attributes:
        questions_queue_url: where messages of turns that wait are woken; the worker's own queue.
        audit_log_group: the name of the log group; "" writes no audit records (for seconds of a deployment).
        audit_log_stream: one stream for each execution environment.
        slack_api_url: the base URL of Slack's Web API.
        files_origin: the only origin (scheme, host and port) from which files are fetched.
    """

    queue_url: str
    bot_token_secret_id: str
    ledger_table: str
    questions_queue_url: str
    audit_log_group: str = ""
    audit_log_stream: str = ""
    slack_api_url: str = "https://slack.com/api/"
    files_origin: str = "https://files.slack.com"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ConsumerSettings":
        queue_url = _required(environment, "QUEUE_URL")
        return cls(
            queue_url=queue_url,
            bot_token_secret_id=_required(environment, "BOT_TOKEN_SECRET_ID"),
            ledger_table=_required(environment, "LEDGER_TABLE"),
            # For seconds of a deployment the control function does not have it. What it would wake in its own
            # queue is not there, so it tries again.
            questions_queue_url=environment.get("QUESTIONS_QUEUE_URL") or queue_url,
            audit_log_group=environment.get("AUDIT_LOG_GROUP", ""),
            # Lambda's own variables: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
            audit_log_stream="/".join(
                environment.get(f"AWS_LAMBDA_{name}", "") for name in ("FUNCTION_NAME", "LOG_STREAM_NAME")
            ),
            slack_api_url=environment.get("SLACK_API_URL") or cls.slack_api_url,
            files_origin=environment.get("SLACK_FILES_ORIGIN") or cls.files_origin,
        )


def in_lambda() -> bool:
    """Whether this code runs in Lambda. There clients are made at import, while the CPU is not throttled."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingError(f"{name} is not set")
    return value
