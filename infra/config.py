"""The operator's settings: bridge.toml, read once into typed values.

Every problem of the file is reported, each with its key, its value and what is allowed, so that one
`make synth` is enough to learn them all.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# A stack's name may have letters, digits and hyphens and begins with a letter; CloudFormation puts it in
# front of the names that it makes, and those of functions and roles end at 64 characters.
# docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cfn-console-create-stack.html
NAME = (r"[A-Za-z][A-Za-z0-9-]{0,39}", "up to 40 letters, digits and hyphens, the first a letter")
REGION = (r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}", 'the name of an AWS region, such as "us-east-1"')
# `Id` and `AgentAliasId` in the service model of bedrock-agent.
BEDROCK_ID = (r"[0-9a-zA-Z]{10}", "exactly 10 letters and digits")


class ConfigError(Exception):
    """The file cannot be used. One line for each problem."""

    def __init__(self, file: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem}" for problem in problems))


@dataclass(frozen=True)
class BedrockAgent:
    """An Amazon Bedrock agent and the alias through which it is invoked."""

    agent_id: str
    alias_id: str


@dataclass(frozen=True)
class Agents:
    """The agents that the bridge can reach. `default` answers wherever nothing else is said."""

    default: BedrockAgent


@dataclass(frozen=True)
class Reply:
    """How an answer looks. `show_rationale` adds what the agent says about its own steps."""

    show_rationale: bool = False


@dataclass(frozen=True)
class Worker:
    """`timeout_seconds` bounds one answer; `max_concurrency` is how many are worked on at once."""

    timeout_seconds: int = 300
    max_concurrency: int = 50


@dataclass(frozen=True)
class Config:
    """What the stack is built from. `name` is the stack's; without `region` the CLI's own is used."""

    name: str
    agents: Agents
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
    config = Config(
        name=root.text("name", NAME),
        region=root.optional_text("region", REGION),
        agents=_agents(root.table("agents")),
        reply=_reply(root.table("reply")),
        worker=_worker(root.table("worker")),
    )
    root.choice("sample", ["none"], default="none")
    root.refuse_the_rest()
    return config


def _agents(table: "_Table") -> Agents:
    agents = Agents(default=_bedrock_agent(table.table("default")))
    table.refuse_the_rest()
    return agents


def _bedrock_agent(table: "_Table") -> BedrockAgent:
    table.choice("kind", ["bedrock-agent"])
    agent = BedrockAgent(
        agent_id=table.text("agent_id", BEDROCK_ID), alias_id=table.text("alias_id", BEDROCK_ID)
    )
    table.refuse_the_rest()
    return agent


def _reply(table: "_Table") -> Reply:
    table.choice("style", ["edit"], default="edit")
    reply = Reply(show_rationale=table.boolean("show_rationale", default=Reply.show_rationale))
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
            self._refuse(key, "a table")
            value = None
        return _Table(value or {}, f"{self._path}{key}.", self._problems)

    def text(self, key: str, rule: tuple[str, str]) -> str:
        """A required string: `rule` is a regular expression and the same in words."""
        pattern, allowed = rule
        value = self._take(key)
        if isinstance(value, str) and re.fullmatch(pattern, value, re.ASCII):
            return value
        self._refuse(key, allowed)
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
        self._refuse(key, " or ".join(_as_toml(one) for one in allowed))
        return allowed[0]

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self._take(key, default)
        if isinstance(value, bool):
            return value
        self._refuse(key, "true or false")
        return default

    def integer(self, key: str, allowed: range, *, default: int) -> int:
        value = self._take(key, default)
        # In Python true is a number.
        if isinstance(value, int) and not isinstance(value, bool) and value in allowed:
            return value
        self._refuse(key, f"a whole number from {allowed[0]} to {allowed[-1]}")
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

    def _refuse(self, key: str, allowed: str) -> None:
        found = f"is {_as_toml(self._values[key])}" if key in self._values else "is missing"
        self._problems.append(f"{self._path}{key} {found}; allowed: {allowed}")


def _as_toml(value: object) -> str:
    """The value as the file has it, so that it is found again."""
    return json.dumps(value, ensure_ascii=False, default=str)  # strings, numbers and booleans look the same
