import pytest

from config.agents import KINDS, read_agent
from config.table import Table
from functions.adapters.agents import kinds as adapters
from infra.agents import ALLOW


def test_the_worker_knows_every_kind_and_may_ask_its_agents() -> None:
    assert KINDS.keys() == adapters.KINDS.keys() == ALLOW.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_keeps_the_kind_under_which_it_was_read(kind: str) -> None:
    agent = read_agent(Table({"kind": kind}, "agents.default.", []))
    assert agent is not None
    assert agent.kind == kind
