"""The operator's settings: bridge.toml, read once into typed values.

Every problem of the file is reported, each with its key, its value and what is allowed, so that one
`make synth` is enough to learn them all.
"""

import json
import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# A stack's name may have letters, digits and hyphens and begins with a letter; CloudFormation puts it in
# front of the names that it makes, and those of functions and roles end at 64 characters.
# docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stack.html
NAME = (r"[A-Za-z][A-Za-z0-9-]{0,39}", "up to 40 letters, digits and hyphens, the first a letter")
REGION = (r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", 'the name of an AWS region, such as "us-east-1"')
# `Id` and `AgentAliasId` in the service model of bedrock-agent.
BEDROCK_ID = (r"[0-9a-zA-Z]{10}", "exactly 10 letters and digits")
# `harnessArn` and `qualifier` in the service model of bedrock-agentcore. A runtime's ARN is described in
# docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrockagentcore.html.
_AGENTCORE = r"arn:aws[a-z-]*:bedrock-agentcore:[a-z0-9-]+:[0-9]{12}"
_AGENTCORE_ID = r"[a-zA-Z][a-zA-Z0-9_]{0,47}-[a-zA-Z0-9]{10}"
HARNESS_ARN = (
    f"{_AGENTCORE}:harness/{_AGENTCORE_ID}",
    'the whole ARN of a harness, "arn:aws:bedrock-agentcore:REGION:ACCOUNT:harness/NAME-ID"',
)
RUNTIME_ARN = (
    f"{_AGENTCORE}:runtime/{_AGENTCORE_ID}",
    'the whole ARN of a runtime, "arn:aws:bedrock-agentcore:REGION:ACCOUNT:runtime/NAME-ID"',
)
QUALIFIER = (
    r"[a-zA-Z][a-zA-Z0-9_]{0,47}",
    "the name of an endpoint: up to 48 letters, digits and underscores",
)
ROLE_ARN = (
    r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]{1,512}",
    'the ARN of a role, "arn:aws:iam::ACCOUNT:role/NAME"',
)
# `externalIdType` in the service model of sts.
EXTERNAL_ID = (r"[\w+=,.@:/-]{2,1224}", "2 to 1224 letters, digits and + = , . @ : / -")
# People write it in front of a question, as in "finops: what did we spend?".
AGENT_NAME = (r"(?!help$)[a-z][a-z0-9-]{0,29}", 'up to 30 small letters, digits and hyphens, and not "help"')
CHANNEL = (
    r"[CGD][A-Z0-9]{2,20}|dm",
    'the id of a channel, such as "C0123456789", or "dm" for direct messages',
)
DESCRIPTION = (r"[^\n\r]{1,200}", "one line of up to 200 characters")

DEFAULT_AGENT = "default"


class ConfigError(Exception):
    """The file cannot be used. One line for each problem."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


@dataclass(frozen=True)
class Role:
    """A role of another account that is assumed to reach an agent there."""

    arn: str
    external_id: str = ""


@dataclass(frozen=True)
class BedrockAgent:
    """An Amazon Bedrock agent and the alias through which it is invoked."""

    agent_id: str
    alias_id: str


@dataclass(frozen=True)
class Harness:
    """An AgentCore harness; `qualifier` is one of its endpoints, "" the default one."""

    arn: str
    qualifier: str = ""


@dataclass(frozen=True)
class Runtime:
    """An AgentCore runtime; `tell_user_id` passes the Slack user on as the runtime's user."""

    arn: str
    qualifier: str = ""
    tell_user_id: bool = False


@dataclass(frozen=True)
class Agent:
    """An agent that the bridge can reach.

    `channels` are the only ones where it answers; () means everywhere. `description` is for the list that
    people get.
    """

    target: BedrockAgent | Harness | Runtime
    role: Role | None = None
    channels: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Reply:
    """How an answer looks.

    `style` is "edit" or "stream". `show_rationale` adds what the agent says about its own steps. An answer
    that took longer than `notify_after_seconds` ends with a mention of the asker.
    """

    style: str = "edit"
    show_rationale: bool = False
    notify_after_seconds: int = 60


@dataclass(frozen=True)
class Worker:
    """`timeout_seconds` bounds one answer; `max_concurrency` is how many are worked on at once."""

    timeout_seconds: int = 300
    max_concurrency: int = 50


@dataclass(frozen=True)
class Config:
    """What the stack is built from.

    `name` is the stack's; without `region` the CLI's own is used. The agent "default" answers where no route
    (channel to agent) says otherwise; with a `sample`, "harness" or "classic", that one does.
    """

    name: str
    agents: Mapping[str, Agent]
    routes: Mapping[str, str] = field(default_factory=dict)
    sample: str = "none"
    region: str | None = None
    reply: Reply = Reply()
    worker: Worker = Worker()


def read_config(path: Path) -> Config:
    """Read and check the file at `path`. Raises ConfigError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(path.name, ["there is no such file; it says which agent answers"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(path.name, [f"is not TOML: {error}"]) from error
    problems: list[str] = []
    config = _config(_Table(document, "", problems))
    if problems:
        raise ConfigError(path.name, problems)
    return config


def _config(root: "_Table") -> Config:
    name = root.text("name", NAME)
    region = root.optional_text("region", REGION)
    sample = root.choice("sample", ["none", "harness", "classic"], default="none")
    agents = _agents(root.table("agents"), sample)
    config = Config(
        name=name,
        region=region,
        sample=sample,
        agents=agents,
        routes=_routes(root.tables("routes"), {*agents, DEFAULT_AGENT}),
        reply=_reply(root.table("reply")),
        worker=_worker(root.table("worker")),
    )
    root.refuse_the_rest()
    return config


def _agents(table: "_Table", sample: str) -> dict[str, Agent]:
    names = table.names()
    if sample == "none":
        names = [DEFAULT_AGENT, *(name for name in names if name != DEFAULT_AGENT)]
    elif DEFAULT_AGENT in names:
        table.refuse(
            DEFAULT_AGENT, f'another name, or sample = "none": the sample agent ({sample}) is the default'
        )
    for name in names:
        if not re.fullmatch(AGENT_NAME[0], name):
            table.refuse(name, f"as an agent's name {AGENT_NAME[1]}")
    return {name: _agent(table.table(name)) for name in names}


def _agent(table: "_Table") -> Agent:
    kind = table.choice("kind", list(_TARGETS))
    agent = Agent(
        target=_TARGETS[kind](table),
        role=_role(table),
        channels=table.texts("channels", CHANNEL),
        description=table.optional_text("description", DESCRIPTION) or "",
    )
    table.refuse_the_rest()
    return agent


def _bedrock_agent(table: "_Table") -> BedrockAgent:
    return BedrockAgent(
        agent_id=table.text("agent_id", BEDROCK_ID), alias_id=table.text("alias_id", BEDROCK_ID)
    )


def _harness(table: "_Table") -> Harness:
    return Harness(table.text("arn", HARNESS_ARN), table.optional_text("qualifier", QUALIFIER) or "")


def _runtime(table: "_Table") -> Runtime:
    return Runtime(
        table.text("arn", RUNTIME_ARN),
        table.optional_text("qualifier", QUALIFIER) or "",
        table.boolean("tell_user_id", default=False),
    )


# What each kind of agent is configured by.
_TARGETS: Mapping[str, Callable[["_Table"], BedrockAgent | Harness | Runtime]] = {
    "bedrock-agent": _bedrock_agent,
    "agentcore-harness": _harness,
    "agentcore-runtime": _runtime,
}


def _role(table: "_Table") -> Role | None:
    arn = table.optional_text("role_arn", ROLE_ARN)
    external_id = table.optional_text("external_id", EXTERNAL_ID)
    if external_id and arn is None:
        table.refuse("external_id", "only together with role_arn")
    return Role(arn, external_id or "") if arn else None


def _routes(tables: "Sequence[_Table]", agents: Collection[str]) -> dict[str, str]:
    routes: dict[str, str] = {}
    for table in tables:
        channel = table.text("channel", CHANNEL)
        if channel in routes:
            table.refuse("channel", "one route for each channel")
        routes[channel] = table.choice("agent", sorted(agents))
        table.refuse_the_rest()
    return routes


def _reply(table: "_Table") -> Reply:
    reply = Reply(
        style=table.choice("style", ["edit", "stream"], default=Reply.style),
        show_rationale=table.boolean("show_rationale", default=Reply.show_rationale),
        notify_after_seconds=table.integer(
            "notify_after_seconds", range(10, 901), default=Reply.notify_after_seconds
        ),
    )
    table.refuse_the_rest()
    return reply


def _worker(table: "_Table") -> Worker:
    worker = Worker(
        # Lambda's own limit is 15 minutes; below one minute few agents can answer.
        timeout_seconds=table.integer("timeout_seconds", range(60, 901), default=Worker.timeout_seconds),
        # `MaximumConcurrency` of an SQS event source: 2 to 1000.
        max_concurrency=table.integer("max_concurrency", range(2, 1001), default=Worker.max_concurrency),
    )
    table.refuse_the_rest()
    return worker


class _Table:
    """A TOML table that is read key by key.

    Each method answers with a usable value even where the file has none, and notes the problem: the
    reading goes on, and the file is refused at its end.
    """

    def __init__(self, values: Mapping[str, object], path: str, problems: list[str]) -> None:
        self._values = values
        self._path = path
        self._problems = problems
        self._known: list[str] = []

    def table(self, key: str) -> "_Table":
        """The table at `key`; an absent one is empty, so that its required keys are reported by name."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self.refuse(key, "a table")
            value = None
        return _Table(value or {}, f"{self._path}{key}.", self._problems)

    def names(self) -> list[str]:
        """The keys of the table, whatever they are."""
        return list(self._values)

    def tables(self, key: str) -> "list[_Table]":
        """The array of tables at `key`; [] if there is none."""
        value = self._take(key, [])
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return [
                _Table(one, f"{self._path}{key}[{number}].", self._problems)
                for number, one in enumerate(value, start=1)
            ]
        self.refuse(key, f"tables, each under [[{self._path}{key}]]")
        return []

    def texts(self, key: str, rule: tuple[str, str]) -> tuple[str, ...]:
        """A list of strings, each by the rule; () if there is none."""
        pattern, allowed = rule
        value = self._take(key, [])
        if isinstance(value, list) and all(
            isinstance(one, str) and re.fullmatch(pattern, one, re.ASCII) for one in value
        ):
            return tuple(value)
        self.refuse(key, f"a list, each entry {allowed}")
        return ()

    def text(self, key: str, rule: tuple[str, str]) -> str:
        """A required string: `rule` is a regular expression and the same in words."""
        pattern, allowed = rule
        value = self._take(key)
        if isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII):
            return value
        self.refuse(key, allowed)
        return ""

    def optional_text(self, key: str, rule: tuple[str, str]) -> str | None:
        if key in self._values:
            return self.text(key, rule)
        self._known.append(key)
        return None

    def choice(self, key: str, allowed: Sequence[str], *, default: str | None = None) -> str:
        value = self._take(key, default)
        if isinstance(value, str) and value in allowed:
            return value
        self.refuse(key, " or ".join(_as_toml(one) for one in allowed))
        return allowed[0]

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self._take(key, default)
        if isinstance(value, bool):
            return value
        self.refuse(key, "true or false")
        return default

    def integer(self, key: str, allowed: range, *, default: int) -> int:
        value = self._take(key, default)
        # In Python true is a number.
        if isinstance(value, int) and not isinstance(value, bool) and value in allowed:
            return value
        self.refuse(key, f"a whole number from {allowed[0]} to {allowed[-1]}")
        return default

    def refuse_the_rest(self) -> None:
        """Note every key that no method has asked for."""
        known = ", ".join(self._known)
        for key in self._values:
            if key not in self._known:
                self._problems.append(f"{self._path}{key} is not a setting; allowed here: {known}")

    def _take(self, key: str, default: object = None) -> object:
        self._known.append(key)
        return self._values.get(key, default)

    def refuse(self, key: str, allowed: str) -> None:
        """Note that the value at `key` is wrong, and what would be right."""
        found = f"is {_as_toml(self._values[key])}" if key in self._values else "is missing"
        self._problems.append(f"{self._path}{key} {found}; allowed: {allowed}")


def _as_toml(value: object) -> str:
    """The value as the file has it, so that it is found again."""
    return json.dumps(value, ensure_ascii=False, default=str)  # strings, numbers and booleans look the same
