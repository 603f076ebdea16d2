"""README's table of settings is that of the code: every key with its default and its range."""

import re
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from config.agents import KINDS
from config.bridge_toml import (
    Alarms,
    App,
    ConfigError,
    Deployment,
    Queues,
    Receiver,
    SampleAgent,
    Worker,
    check,
)
from functions.bridge.admission.access import AccessRules
from functions.bridge.admission.slots import Fairness
from functions.bridge.conversation import ConversationOptions
from functions.bridge.replies.options import ReplyOptions
from functions.settings import AgentSettings

ROOT = Path(__file__).parents[2]

# By its path, the class that holds a table's defaults.
DEFAULTS = {
    "access": AccessRules,
    "agents.NAME": AgentSettings,
    "alarms": Alarms,
    "app": App,
    "conversation": ConversationOptions,
    "deployment": Deployment,
    "fairness": Fairness,
    "queues": Queues,
    "receiver": Receiver,
    "reply": ReplyOptions,
    "sample_agent": SampleAgent,
    "worker": Worker,
}


class Row(NamedTuple):
    meaning: str
    default: str


def rows() -> dict[str, Row]:
    """The table's rows by key; a row may be for several: `agents.NAME.arn`, `.qualifier`."""
    found = {}
    for line in (ROOT / "README.md").read_text("utf-8").splitlines():
        match line.split(" | "):
            case [names, *meaning, default] if re.match(r"\| `[a-z]", names):
                first, *others = re.findall("`(.+?)`", names)
                table = first.rpartition(".")[0]
                for key in (first, *(table + other for other in others)):
                    found[key] = Row(" | ".join(meaning), default.strip(" |"))
    return found


def problems(document: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        check(document)
    return list(raised.value.problems)


def known(document: dict[str, Any], path: str) -> list[str]:
    """The keys of the table at `path`, in which `document` has one too many, called "x"."""
    [allowed] = [
        problem.partition("allowed here: ")[2]
        for problem in problems(document)
        if problem.startswith(f"{path}x is not a setting")
    ]
    return allowed.split(", ")


def keys() -> set[str]:
    tables = {name: known({name: {"x": 1}}, f"{name}.") for name in DEFAULTS if "." not in name}
    agents = [known({"agents": {"own": {"kind": kind, "x": 1}}}, "agents.own.") for kind in KINDS]
    tables["agents.NAME"] = [key for one in agents for key in one]
    single = {*known({"x": 1}, "")} - {"agents", *tables}
    return single | {f"{table}.{key}" for table, members in tables.items() for key in members}


def test_every_key_has_a_row_and_every_row_a_key() -> None:
    assert rows().keys() == keys()


def test_defaults_are_those_of_the_code() -> None:
    compared = []
    for key, row in rows().items():
        table, _, name = key.rpartition(".")
        default = getattr(DEFAULTS[table], name, None) if table else None
        if (default or default is False) and not is_dataclass(default):
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            assert row.default.strip('`"') == shown, key
            compared.append(key)
    assert {"reply.style", "sample_agent.memory", "worker.timeout_seconds"} <= {*compared}


def ranges_in(document: dict[str, Any]) -> dict[str, str]:
    """By key, the range of each number in `document`, where it is -1."""
    pattern = r"(\S+) is -1; allowed: a whole number from (.+)"
    return {match[1]: match[2] for problem in problems(document) if (match := re.match(pattern, problem))}


def test_ranges_are_those_of_the_code() -> None:
    ranges: dict[str, str] = {}
    for table in DEFAULTS.keys() - {"agents.NAME"}:
        ranges |= ranges_in({table: dict.fromkeys(known({table: {"x": 1}}, f"{table}."), -1)})
    for kind in KINDS:
        own = dict.fromkeys(known({"agents": {"NAME": {"kind": kind, "x": 1}}}, "agents.NAME."), -1)
        ranges |= ranges_in({"agents": {"NAME": {**own, "kind": kind}}})
    assert {"worker.timeout_seconds", "agents.NAME.max_tokens"} <= ranges.keys()
    for key, allowed in ranges.items():
        assert allowed in rows()[key].meaning, key
