"""What each function reads from its environment, once, typed.

The template sets these variables (`infra/`); `SLACK_API_URL` is for those who stand in for Slack.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass


class SettingError(Exception):
    """A variable that is missing or has a value that is not allowed. Names it, its value and what is."""


@dataclass(frozen=True)
class ReceiverSettings:
    queue_url: str
    signing_secret_id: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ReceiverSettings":
        return cls(
            queue_url=_required(environment, "QUEUE_URL"),
            signing_secret_id=_required(environment, "SIGNING_SECRET_ID"),
        )


@dataclass(frozen=True)
class ThreadSettings:
    """What it takes to write into a thread: the token, the ledger, and how long a lease runs (seconds)."""

    bot_token_secret_id: str
    ledger_table: str
    lease_seconds: float
    slack_api_url: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ThreadSettings":
        return cls(
            bot_token_secret_id=_required(environment, "BOT_TOKEN_SECRET_ID"),
            ledger_table=_required(environment, "LEDGER_TABLE"),
            lease_seconds=_seconds(environment, "LEASE_SECONDS"),
            slack_api_url=environment.get("SLACK_API_URL") or "https://slack.com/api/",
        )


@dataclass(frozen=True)
class AgentSettings:
    agent_id: str
    alias_id: str
    show_rationale: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "AgentSettings":
        return cls(
            agent_id=_required(environment, "AGENT_ID"),
            alias_id=_required(environment, "AGENT_ALIAS_ID"),
            show_rationale=_switch(environment, "SHOW_RATIONALE"),
        )


def queue_url(environment: Mapping[str, str]) -> str:
    return _required(environment, "QUEUE_URL")


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingError(f"{name} is not set")
    return value


def _seconds(environment: Mapping[str, str], name: str) -> float:
    text = _required(environment, name)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 900:
        raise SettingError(f"{name} is {text!r}; allowed are 1 to 900 seconds")
    return value


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = _required(environment, name)
    if text not in ("true", "false"):
        raise SettingError(f"{name} is {text!r}; allowed are true and false")
    return text == "true"


def in_lambda() -> bool:
    """Whether Lambda's runtime imports us: then clients are made at once, while the CPU is not throttled."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ
