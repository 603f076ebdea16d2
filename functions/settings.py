"""What each function reads from its environment, once, typed.

The template sets these variables (`infra/`); `SLACK_API_URL` and `SLACK_FILES_ORIGIN` are for those who stand
in for Slack.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from functions.bridge.manner import Manner, Style


class SettingError(Exception):
    """A variable that is missing or has a value that is not allowed. Names it, its value and what is."""


@dataclass(frozen=True)
class ReceiverSettings:
    """What the receiver needs: where commands go, and what requests are signed with."""

    queue_url: str
    control_queue_url: str
    signing_secret_id: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ReceiverSettings":
        queue_url = _required(environment, "QUEUE_URL")
        return cls(
            queue_url=queue_url,
            # Lambda updates code and variables one after the other, and the worker knows all commands.
            control_queue_url=environment.get("CONTROL_QUEUE_URL") or queue_url,
            signing_secret_id=_required(environment, "SIGNING_SECRET_ID"),
        )


@dataclass(frozen=True)
class ThreadSettings:
    """What it takes to do what a queue's commands ask for: the queue, the token, the ledger.

    `lease_seconds` and `notify_after`: see `functions.bridge.ports.Ports`.
    """

    queue_url: str
    bot_token_secret_id: str
    ledger_table: str
    lease_seconds: float
    notify_after: float
    slack_api_url: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ThreadSettings":
        return cls(
            queue_url=_required(environment, "QUEUE_URL"),
            bot_token_secret_id=_required(environment, "BOT_TOKEN_SECRET_ID"),
            ledger_table=_required(environment, "LEDGER_TABLE"),
            lease_seconds=_seconds(environment, "LEASE_SECONDS"),
            notify_after=_seconds(environment, "NOTIFY_AFTER_SECONDS"),
            slack_api_url=environment.get("SLACK_API_URL") or "https://slack.com/api/",
        )


@dataclass(frozen=True)
class AgentSettings:
    """One agent. What leads to it depends on its kind; see `functions.adapters.agents`."""

    kind: str
    agent_id: str = ""
    alias_id: str = ""
    arn: str = ""
    qualifier: str = ""
    tell_user_id: bool = False
    role_arn: str = ""
    external_id: str = ""
    description: str = ""
    channels: Sequence[str] = ()

    def target(self, name: str) -> str:
        """A member without which the kind cannot do. Raises `SettingError`."""
        value = str(getattr(self, name))
        if not value:
            raise SettingError(f"AGENTS has no {name} for an agent of kind {self.kind!r}")
        return value


@dataclass(frozen=True)
class AgentsSettings:
    """`AGENTS`: agents by name, and routes: channel to name. JSON, as there may be several of both."""

    agents: Mapping[str, AgentSettings]
    routes: Mapping[str, str]

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "AgentsSettings":
        text = _required(environment, "AGENTS")
        try:
            document = json.loads(text)
            agents = {name: AgentSettings(**one) for name, one in document["agents"].items()}
            return cls(agents, document["routes"])
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise SettingError(f"AGENTS is {text!r}; allowed is what the template puts there: {exc}") from exc


@dataclass(frozen=True)
class ReplySettings:
    """How replies are made, and the only origin (scheme, host and port) that files are fetched from."""

    manner: Manner
    files_origin: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ReplySettings":
        manner = Manner(
            style=_style(environment, "REPLY_STYLE"),
            show_rationale=_switch(environment, "SHOW_RATIONALE"),
        )
        origin = environment.get("SLACK_FILES_ORIGIN") or "https://files.slack.com"
        return cls(manner=manner, files_origin=origin)


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


def _style(environment: Mapping[str, str], name: str) -> Style:
    text = _required(environment, name)
    try:
        return Style(text)
    except ValueError:
        raise SettingError(f"{name} is {text!r}; allowed are {' and '.join(Style)}") from None


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = _required(environment, name)
    if text not in ("true", "false"):
        raise SettingError(f"{name} is {text!r}; allowed are true and false")
    return text == "true"


def in_lambda() -> bool:
    """Whether Lambda's runtime imports us: then clients are made at once, while the CPU is not throttled."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ
