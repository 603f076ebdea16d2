"""Whether an agent is there, asked of the services that manage agents. Nothing is invoked.

docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_GetAgentAlias.html
docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_GetHarness.html
docs.aws.amazon.com/bedrock-agentcore-control/latest/APIReference/API_GetAgentRuntime.html
"""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.adapters.agents.client import agent_client, region_of, role_of
from functions.adapters.agents.errors import RoleNotAssumed, code, status
from functions.bridge.finding import Finding
from functions.settings import AgentSettings

SILENCE_SECONDS = 5.0
# Seconds between the tries of a call that fails for now.
WAITS = (1.0, 4.0)
# An agent in one of these states answers nobody. One that is being changed goes on answering.
_OUT_OF_SERVICE = {
    "CREATING",
    "CREATE_FAILED",
    "DELETING",
    "DELETE_FAILED",
    "DISSOCIATED",
    "FAILED",
}


def finding_about(settings: AgentSettings) -> Finding | None:
    """What is wrong with an agent; None if nothing is, or if its kind is not known here."""
    look = LOOKS.get(settings.kind)
    if look is None:
        return None
    for wait in (*WAITS, None):
        try:
            state = look(settings)
        except ClientError as exc:
            if wait is None or not _may_pass(exc):
                return _refusal(exc, settings)
        except (BotoCoreError, RoleNotAssumed) as exc:
            if wait is None:
                return Finding("unreachable", type(exc).__name__)
        else:
            return Finding("out_of_service", f"its state is {state}") if state in _OUT_OF_SERVICE else None
        time.sleep(wait or 0)
    raise AssertionError("unreachable")


def _may_pass(exc: ClientError) -> bool:
    return status(exc) == HTTPStatus.TOO_MANY_REQUESTS or status(exc) >= HTTPStatus.INTERNAL_SERVER_ERROR


def _refusal(exc: ClientError, settings: AgentSettings) -> Finding:
    detail = f"{code(exc)}: {exc.response.get('Error', {}).get('Message', '')}"
    match status(exc):
        case HTTPStatus.NOT_FOUND:
            return Finding("not_found", detail)
        case HTTPStatus.FORBIDDEN:
            # In another account somebody must have allowed that first; that the worker may ask says nothing.
            return Finding("access_denied", detail, is_trouble=not settings.role_arn)
    return Finding("unreachable", detail)


def _bedrock_agent(settings: AgentSettings) -> str:
    client = agent_client(
        "bedrock-agent", longest_silence=SILENCE_SECONDS, role=role_of(settings), region=settings.region
    )
    found = client.get_agent_alias(
        agentId=settings.required("agent_id"), agentAliasId=settings.required("alias_id")
    )
    return str(found["agentAlias"]["agentAliasStatus"])


def _harness(settings: AgentSettings) -> str:
    client, harness = _control_of(settings), _id_of(settings)
    if settings.qualifier:
        found = client.get_harness_endpoint(harnessId=harness, endpointName=settings.qualifier)
        return str(found["endpoint"]["status"])
    return str(client.get_harness(harnessId=harness)["harness"]["status"])


def _runtime(settings: AgentSettings) -> str:
    client, runtime = _control_of(settings), _id_of(settings)
    if settings.qualifier:
        found = client.get_agent_runtime_endpoint(agentRuntimeId=runtime, endpointName=settings.qualifier)
        return str(found["status"])
    return str(client.get_agent_runtime(agentRuntimeId=runtime)["status"])


def _control_of(settings: AgentSettings) -> Any:
    return agent_client(
        "bedrock-agentcore-control",
        longest_silence=SILENCE_SECONDS,
        role=role_of(settings),
        region=region_of(settings.required("arn")),
    )


def _id_of(settings: AgentSettings) -> str:
    """The id in an ARN: "finops-A1b2C3d4E5" of "arn:…:harness/finops-A1b2C3d4E5"."""
    return settings.required("arn").rpartition("/")[2]


LOOKS: Mapping[str, Callable[[AgentSettings], str]] = {
    "bedrock-agent": _bedrock_agent,
    "agentcore-harness": _harness,
    "agentcore-runtime": _runtime,
}
