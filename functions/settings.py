"""What each function is told, read once, typed.

What bridge.toml says to the functions reaches them as a JSON document in a Lambda layer: `Settings`.
`config/` reads bridge.toml into the same classes, so that a setting and its default are declared only once.

What only a deployment knows is in environment variables, which the template sets (`infra/`).
`SLACK_API_URL` and `SLACK_FILES_ORIGIN` are for those who stand in for Slack.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from functions.bridge.admission.access import OPEN, AccessRules
from functions.bridge.admission.slots import Fairness
from functions.bridge.replies.options import ReplyOptions


class SettingError(Exception):
    """A setting that is missing or has a value that is not allowed. Names it, its value and what is."""


class MemoryBy(StrEnum):
    """Whose the long-term memory of an agent is. See `functions.adapters.agents.agentcore.actor_of`."""

    THREAD = "thread"
    PERSON = "person"


@dataclass(frozen=True)
class AgentSettings:
    """One agent: a table `[agents.NAME]` of bridge.toml.

    What leads to it depends on its kind (`functions.adapters.agents.kinds`). "" stands for what is not set.

    Attributes:
        region: of a kind without an ARN; "" for the bridge's own.
        memory_by: of an AgentCore agent.
        timeout_seconds, max_iterations, max_tokens: of one answer of a harness; 0 for the harness's own.
        stop_session: whether a runtime's session is ended when its agent is not waited for any longer.
        role_arn, external_id: the role of another account that is assumed to reach it.
        channels: the only ones where it answers; () means everywhere.
        description: for the list that people get.
        access: who may ask it, of those whom the bridge's own rules let in.
    """

    kind: str
    agent_id: str = ""
    alias_id: str = ""
    region: str = ""
    arn: str = ""
    qualifier: str = ""
    tell_user_id: bool = False
    memory_by: MemoryBy = MemoryBy.THREAD
    timeout_seconds: int = 0
    max_iterations: int = 0
    max_tokens: int = 0
    stop_session: bool = False
    role_arn: str = ""
    external_id: str = ""
    channels: tuple[str, ...] = ()
    description: str = ""
    access: AccessRules = OPEN

    @property
    def remembers_people(self) -> bool:
        return self.memory_by is MemoryBy.PERSON

    def required(self, name: str) -> str:
        """A member without which the kind cannot do. Raises `SettingError`."""
        value = str(getattr(self, name))
        if not value:
            raise SettingError(f"there is no {name} for an agent of kind {self.kind!r}")
        return value


@dataclass(frozen=True)
class Settings:
    """What the functions behind queues are told of bridge.toml: the document at `SETTINGS_FILE`.

    Attributes:
        agents: by name. "default" answers where no route says otherwise.
        routes: channel to agent.
        access: who may ask, whichever agent.
        fairness: how much one person or channel may take.
        lease_seconds: see `functions.bridge.turns.ports.Ports`. bridge.toml has no key for it.
    """

    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    reply: ReplyOptions = field(default_factory=ReplyOptions)
    access: AccessRules = field(default_factory=AccessRules)
    fairness: Fairness = field(default_factory=Fairness)
    lease_seconds: int = 60

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """The document, and the sample agent, of which only the deployment knows where it is.

        Raises `SettingError`.
        """
        if path := environment.get("SETTINGS_FILE"):
            document = _json(path, Path(path).read_text("utf-8"))
        else:
            document = _document_of_variables(environment)
        settings: Settings = _typed(cls, document, "")
        sample = _json("SAMPLE_AGENT", environment.get("SAMPLE_AGENT", "{}"))
        agents = _typed(Mapping[str, AgentSettings], sample, "SAMPLE_AGENT")
        return replace(settings, agents={**agents, **settings.agents})


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
class ConsumerSettings:
    """What it takes to do what a queue's commands ask for: the queue, the token, the ledger, the audit log.

    Attributes:
        audit_log_group: its name; "" for seconds of a deployment, when nothing is written there.
        audit_log_stream: the execution environment's own.
        slack_api_url: of Slack's Web API.
        files_origin: the only origin (scheme, host and port) that files are fetched from.
    """

    queue_url: str
    bot_token_secret_id: str
    ledger_table: str
    audit_log_group: str = ""
    audit_log_stream: str = ""
    slack_api_url: str = "https://slack.com/api/"
    files_origin: str = "https://files.slack.com"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "ConsumerSettings":
        return cls(
            queue_url=_required(environment, "QUEUE_URL"),
            bot_token_secret_id=_required(environment, "BOT_TOKEN_SECRET_ID"),
            ledger_table=_required(environment, "LEDGER_TABLE"),
            audit_log_group=environment.get("AUDIT_LOG_GROUP", ""),
            # Lambda's own variables: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
            audit_log_stream="/".join(
                environment.get(f"AWS_LAMBDA_{name}", "") for name in ("FUNCTION_NAME", "LOG_STREAM_NAME")
            ),
            slack_api_url=environment.get("SLACK_API_URL") or cls.slack_api_url,
            files_origin=environment.get("SLACK_FILES_ORIGIN") or cls.files_origin,
        )


def in_lambda() -> bool:
    """Whether Lambda's runtime imports us: then clients are made at once, while the CPU is not throttled."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingError(f"{name} is not set")
    return value


def _document_of_variables(environment: Mapping[str, str]) -> dict[str, object]:
    """The document that the variables of former versions amount to.

    Lambda updates a function's code and its variables one after the other: for seconds this code may run
    with them.
    """
    if "LEASE_SECONDS" not in environment:
        raise SettingError("SETTINGS_FILE is not set")
    return {
        **_json("AGENTS", environment.get("AGENTS", "{}")),
        "lease_seconds": _json("LEASE_SECONDS", environment["LEASE_SECONDS"]),
        "reply": {
            "style": environment.get("REPLY_STYLE", ReplyOptions.style),
            "show_rationale": environment.get("SHOW_RATIONALE") == "true",
            "notify_after_seconds": _json("NOTIFY_AFTER_SECONDS", environment["NOTIFY_AFTER_SECONDS"]),
        },
    }


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingError(f"{name} is {text!r}; allowed is JSON: {error}") from error


def _typed(kind: Any, value: Any, path: str) -> Any:
    """The JSON `value` as a `kind`: a dataclass, a mapping, a tuple, an enumeration or a plain type.

    Members that a dataclass does not have are left out, and absent ones have their defaults: for seconds the
    document may be one version older or newer than the code. Raises `SettingError`.
    """
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, dict):
        types = get_type_hints(kind)
        members = {}
        for one in fields(kind):
            if one.name in value:
                members[one.name] = _typed(types[one.name], value[one.name], _inner(path, one.name))
            elif one.default is MISSING and one.default_factory is MISSING:
                raise SettingError(f"{_inner(path, one.name)} is missing in the settings")
        return kind(**members)
    if get_origin(kind) is Mapping and isinstance(value, dict):
        return {name: _typed(get_args(kind)[1], one, _inner(path, name)) for name, one in value.items()}
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_typed(get_args(kind)[0], one, path) for one in value)
    if isinstance(kind, type) and issubclass(kind, Enum) and value in [*kind]:
        return kind(value)
    if type(value) is kind:
        return value
    raise SettingError(f"{path or 'the document'} is {value!r} in the settings; allowed is {_in_words(kind)}")


def _inner(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _in_words(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(repr(str(one)) for one in kind)
    if is_dataclass(kind) or get_origin(kind) is Mapping:
        return "an object"
    return "a list" if get_origin(kind) is tuple else str(kind.__name__)
