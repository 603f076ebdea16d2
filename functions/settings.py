"""The settings of each function, read once into typed values.

`Settings` comes from bridge.toml, as a JSON document in a Lambda layer. `config/` reads bridge.toml into the
same classes, so that each setting and its default are declared once.

What only a deployment knows is in `functions/environment.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from functions.bridge.admission.access import OPEN, AccessRules
from functions.bridge.admission.approvers import ASKER, Approvers
from functions.bridge.admission.slots import Fairness
from functions.bridge.agents.tools import Tool
from functions.bridge.conversation import ConversationOptions
from functions.bridge.replies.options import ReplyOptions
from functions.environment import SettingError


class MemoryBy(StrEnum):
    """Who shares an agent's long-term memory. See `functions.adapters.agents.agentcore.actor_of`."""

    THREAD = "thread"
    PERSON = "person"


class AgentMemory(StrEnum):
    """How long an agent remembers what was said in a thread."""

    SESSION = "session"
    """As long as its session lasts. The bridge tells it the thread again after that."""
    AGENT = "agent"
    """It keeps a memory of its own, which outlives its sessions."""


# Seconds without a question after which a session of each kind ends, unless its builder has chosen another
# time. AgentCore's default: docs.aws.amazon.com/bedrock-agentcore/latest/devguide/runtime-sessions.html
# The console proposes ten minutes for Bedrock's agents. A time that is too short does no harm: the agent is
# told again what it knows.
IDLE_SECONDS = {"bedrock-agent": 600, "agentcore-harness": 900, "agentcore-runtime": 900}
USUAL_IDLE_SECONDS = 900  # of a kind that is not among them


@dataclass(frozen=True)
class AgentSettings:
    """One agent: a table `[agents.NAME]` of bridge.toml.

    Which members are set depends on its kind (`functions.adapters.agents.kinds`); "" means not set.

    Attributes:
        region: for a kind without an ARN; "" means the bridge's own region.
        memory: how long it remembers a thread.
        memory_by: for AgentCore agents.
        idle_seconds: its session ends after so long without a question; 0 means what is usual for its kind.
        timeout_seconds, max_iterations, max_tokens: limits of one answer; 0 keeps the harness's own.
        stop_session: whether the bridge ends a runtime's session when it stops waiting for the agent.
        role_arn, external_id: the role in another account that the worker assumes to reach the agent.
        channels: the only channels where it answers; () means everywhere.
        description: shown in the list of agents that people get.
        access: who may ask it, among the people whom the bridge's own rules let in.
        approvers: who may decide on what it asks for.
        approval_seconds: for so long; then the answer is no.
        tools: what the bridge runs for it, by the names under which it asks.
    """

    kind: str
    agent_id: str = ""
    alias_id: str = ""
    region: str = ""
    arn: str = ""
    qualifier: str = ""
    tell_user_id: bool = False
    memory: AgentMemory = AgentMemory.SESSION
    memory_by: MemoryBy = MemoryBy.THREAD
    idle_seconds: int = 0
    timeout_seconds: int = 0
    max_iterations: int = 0
    max_tokens: int = 0
    stop_session: bool = False
    role_arn: str = ""
    external_id: str = ""
    channels: tuple[str, ...] = ()
    description: str = ""
    access: AccessRules = OPEN
    approvers: Approvers = ASKER
    approval_seconds: int = 900
    tools: Mapping[str, Tool] = field(default_factory=dict)

    @property
    def session_idle_seconds(self) -> int:
        """So long its session lasts without a question, as far as anybody knows."""
        return self.idle_seconds or IDLE_SECONDS.get(self.kind, USUAL_IDLE_SECONDS)

    @property
    def remembers_people(self) -> bool:
        return self.memory_by is MemoryBy.PERSON

    def required(self, name: str) -> str:
        """The member `name`, which this kind needs. Raises `SettingError` where it is empty."""
        value = str(getattr(self, name))
        if not value:
            raise SettingError(f"there is no {name} for an agent of kind {self.kind!r}")
        return value


@dataclass(frozen=True)
class Settings:
    """The settings of bridge.toml that the functions behind queues read: the document at `SETTINGS_FILE`.

    Attributes:
        agents: by name. "default" answers where no route names another.
        routes: the name of the agent by channel.
        access: who may ask any agent.
        fairness: how many questions one person or channel may have running.
        lease_seconds: see `functions.bridge.turns.ports.Ports`. bridge.toml has no key for it.
    """

    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    reply: ReplyOptions = field(default_factory=ReplyOptions)
    conversation: ConversationOptions = field(default_factory=ConversationOptions)
    access: AccessRules = field(default_factory=AccessRules)
    fairness: Fairness = field(default_factory=Fairness)
    lease_seconds: int = 60

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """The document, and the sample agent, whose ARN or ids only the deployment knows.

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


def _document_of_variables(environment: Mapping[str, str]) -> dict[str, object]:
    """The settings document, made of the environment variables of older versions.

    Lambda updates a function's code before its variables, so for seconds this code may run with the old ones.
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
    """Convert the JSON `value` to `kind`: a dataclass, a mapping, a tuple, an enumeration or a plain type.

    Unknown members are left out and absent ones get their defaults, because for seconds of a deployment the
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
