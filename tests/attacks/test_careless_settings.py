"""Settings of bridge.toml with which an operator means less than they would get."""

from typing import Any

import pytest

from config.bridge_toml import ConfigError, check

SMALLEST: dict[str, Any] = {
    "name": "agent-bridge",
    "agents": {"default": {"kind": "bedrock-agent", "agent_id": "ABCDEFGHIJ", "alias_id": "TSTALIASID"}},
}
FINOPS = {"kind": "bedrock-agent", "agent_id": "ABCDEFGHIJ", "alias_id": "TSTALIASID"}


def agents(**finops: Any) -> dict[str, Any]:
    return {"agents": {**SMALLEST["agents"], "finops": {**FINOPS, **finops}}}


def problem(document: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as raised:
        check({**SMALLEST, **document})
    [only] = raised.value.problems
    return only


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"access": {"users": []}}, "access.users"),
        ({"access": {"channels": []}}, "access.channels"),
        ({"reply": {"link_hosts": []}}, "reply.link_hosts"),
        (agents(channels=[]), "agents.finops.channels"),
        (agents(access={"users": []}), "agents.finops.access.users"),
        (agents(access={"channels": []}), "agents.finops.access.channels"),
    ],
)
def test_a_list_out_of_which_the_last_entry_was_taken_is_refused(document: dict[str, Any], key: str) -> None:
    found = problem(document)
    assert found.startswith(f"{key} is []; allowed: one entry or more, each ")
    assert found.endswith("; without the key there is no such limit")


@pytest.mark.parametrize(
    "document",
    [
        {"worker": {"max_concurrency": 2}},
        {"fairness": {"running_per_user": 20}},
        {"fairness": {"running_per_user": 5}, "worker": {"max_concurrency": 4}},
    ],
)
def test_limits_by_which_one_person_could_have_all_workers_are_refused(document: dict[str, Any]) -> None:
    found = problem(document)
    assert found.startswith("fairness.running_per_user is ")
    assert found.endswith("which is worker.max_concurrency: one person would have all workers")


@pytest.mark.parametrize("channels", [["dm"], ["D0123456789", "dm"]])
def test_rules_by_which_nobody_could_ask_anywhere_are_refused(channels: list[str]) -> None:
    access = {"channels": channels, "direct_messages": False}
    wanted = "allowed: a channel too, or direct_messages = true: nobody could ask, as it names only these"
    assert problem({"access": access}).startswith('access.channels is ["')
    assert problem({"access": access}).endswith(wanted)
    assert problem(agents(access=access)).startswith('agents.finops.access.channels is ["')
    access["channels"] = [*channels, "C0123456789"]
    assert check({**SMALLEST, "access": access}).settings.access.direct_messages is False


def test_a_list_of_people_who_may_not_ask_may_be_empty() -> None:
    assert check({**SMALLEST, "access": {"deny_users": []}}).settings.access.deny_users == ()
