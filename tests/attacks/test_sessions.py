"""People of one thread, and what an agent has fetched with the rights of one of them."""

from dataclasses import replace

from functions.adapters.agents import client as clients
from functions.adapters.agents.runtime import AgentCoreRuntime
from simulator.agent.agentcore import RUNTIME_ARNS, Framework
from simulator.agent.service import AgentService
from tests.functions.adapters.runs import QUESTION, events

ANN, BOB = (replace(QUESTION, asker=replace(QUESTION.asker, user=user)) for user in ("U1", "U2"))


def sessions(service: AgentService, *, tell_user_id: bool) -> list[str]:
    """In which Ann, Bob and Ann again are answered in one thread."""
    client = clients.bedrock_agentcore(longest_silence=60)
    arn = RUNTIME_ARNS[Framework.WHOLE]
    agent = AgentCoreRuntime(client, arn=arn, tell_user_id=tell_user_id)
    for question in (ANN, BOB, ANN):
        events(agent.ask(question))
    return [run.session_id for run in service.invocations]


def test_an_agent_that_acts_for_people_has_a_session_with_each_of_a_thread(
    agent_service: AgentService,
) -> None:
    ann, bob, ann_again = sessions(agent_service, tell_user_id=True)
    assert ann == ann_again != bob


def test_an_agent_that_acts_for_nobody_has_one_session_with_a_thread(agent_service: AgentService) -> None:
    assert len({*sessions(agent_service, tell_user_id=False)}) == 1
