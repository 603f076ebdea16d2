"""What is asked of the services that manage agents: whether an agent is there.

    GET /agents/{id}/agentaliases/{id}/                GetAgentAlias of `bedrock-agent`
    GET /harnesses/{id}                                GetHarness of `bedrock-agentcore-control`
    GET /harnesses/{id}/endpoints/{name}               GetHarnessEndpoint
    GET /runtimes/{id}/                                GetAgentRuntime
    GET /runtimes/{id}/runtime-endpoints/{name}/       GetAgentRuntimeEndpoint

Left out of the answers: what the functions do not read.
"""

from typing import Any

from flask import Blueprint, Response, jsonify, request

from simulator.agent import model
from simulator.agent.agentcore import HARNESS_ARN, QUALIFIER, RUNTIME_ARNS, Framework
from simulator.agent.request import AgentError

# ARNs without the ids at their ends.
_HARNESSES = HARNESS_ARN.rpartition("/")[0]
_RUNTIMES = RUNTIME_ARNS[Framework.STRANDS].rpartition("/")[0]


class ControlPlane:
    """A part of `AgentService`.

    Args:
        agent_id: of the agent of Amazon Bedrock.

    Attributes:
        deleted: agents that somebody has deleted, by their ARNs; the agent of Amazon Bedrock by its id.
        states: the state of an agent that is not as it should be, by the same.
    """

    def __init__(self, agent_id: str) -> None:
        self._known = {agent_id, HARNESS_ARN, *RUNTIME_ARNS.values()}
        self.deleted: set[str] = set()
        self.states: dict[str, str] = {}
        self.blueprint = Blueprint("control plane", __name__)
        for path, view in (
            ("/agents/<agent_id>/agentaliases/<alias_id>/", self._alias),
            ("/harnesses/<harness_id>", self._harness),
            ("/harnesses/<harness_id>/endpoints/<name>", self._harness_endpoint),
            ("/runtimes/<runtime_id>/", self._runtime),
            ("/runtimes/<runtime_id>/runtime-endpoints/<name>/", self._runtime_endpoint),
        ):
            self.blueprint.add_url_rule(path, view_func=view, methods=["GET"])

    def _alias(self, agent_id: str, alias_id: str) -> Response:
        self._check("bedrock-agent", "GetAgentAlias", agentId=agent_id, agentAliasId=alias_id)
        state = self._state(agent_id, "PREPARED")
        return jsonify(agentAlias={"agentAliasId": alias_id, "agentId": agent_id, "agentAliasStatus": state})

    def _harness(self, harness_id: str) -> Response:
        self._check("bedrock-agentcore-control", "GetHarness", harnessId=harness_id)
        return jsonify(harness={"harnessId": harness_id, "status": self._state(f"{_HARNESSES}/{harness_id}")})

    def _harness_endpoint(self, harness_id: str, name: str) -> Response:
        self._check(
            "bedrock-agentcore-control", "GetHarnessEndpoint", harnessId=harness_id, endpointName=name
        )
        return jsonify(
            endpoint={"harnessId": harness_id, **self._endpoint(f"{_HARNESSES}/{harness_id}", name)}
        )

    def _runtime(self, runtime_id: str) -> Response:
        self._check("bedrock-agentcore-control", "GetAgentRuntime", agentRuntimeId=runtime_id)
        return jsonify(agentRuntimeId=runtime_id, status=self._state(f"{_RUNTIMES}/{runtime_id}"))

    def _runtime_endpoint(self, runtime_id: str, name: str) -> Response:
        self._check(
            "bedrock-agentcore-control",
            "GetAgentRuntimeEndpoint",
            agentRuntimeId=runtime_id,
            endpointName=name,
        )
        return jsonify(self._endpoint(f"{_RUNTIMES}/{runtime_id}", name))

    def _check(self, service: str, operation: str, **uri: str) -> None:
        """Raises AgentError unless the request is as the service's model says, and signed."""
        signed_for = "bedrock" if service == "bedrock-agent" else "bedrock-agentcore"
        model.check_signature(request.headers.get("Authorization"), signed_for)
        model.read(
            model.operation(service, operation),
            uri=uri,
            query=request.args,
            headers=request.headers,
            body=b"",
        )

    def _endpoint(self, agent: str, name: str) -> dict[str, Any]:
        state = self._state(agent)
        if name != QUALIFIER:
            raise _not_found(name)
        return {"name": name, "status": state}

    def _state(self, agent: str, usual: str = "READY") -> str:
        if agent not in self._known or agent in self.deleted:
            raise _not_found(agent)
        return self.states.get(agent, usual)


def _not_found(name: str) -> AgentError:
    return AgentError("resourceNotFoundException", f"There is no {name}.", 404)
