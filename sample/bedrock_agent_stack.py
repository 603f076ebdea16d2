"""The sample agent as an Amazon Bedrock agent, for accounts that may still create one.

An account that did not use Bedrock agents in the year before July 30, 2026 cannot create one:
docs.aws.amazon.com/bedrock/latest/userguide/agents-classic-maintenance-mode.html. There, deploy
`SampleHarnessStack`.
"""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_bedrock as bedrock
from aws_cdk import aws_iam as iam
from constructs import Construct

from config.bridge_toml import SampleAgent
from infra.fingerprint import fingerprint
from sample.model import allow_model, model_arn
from sample.roles import ServiceRole
from sample.tool_functions import SampleTools

INSTRUCTIONS = Path(__file__).parent / "instructions.md"

# An idle session costs nothing, and at its end the agent forgets the thread.
IDLE_SESSION_SECONDS = 3600


class SampleAgentStack(cdk.Stack):
    """The virtual meteorologist with three action groups. The bridge needs `agent_id` and `alias_id`.

    `name` is the bridge's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        region: str | None = None,
        settings: SampleAgent = SampleAgent(),  # noqa: B008 - it is frozen
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=cdk.Environment(region=region),
            description="A sample agent for the bridge: a virtual meteorologist (Amazon Bedrock Agents)",
        )
        tools = SampleTools(self, "Tools", settings=settings)
        agents = self.format_arn(service="bedrock", resource="agent", resource_name="*")
        role = ServiceRole(self, "Role", service="bedrock.amazonaws.com", source_arn=agents)
        allow_model(role, settings)
        agent = bedrock.CfnAgent(
            self,
            "Agent",
            agent_name=name,
            description="Virtual meteorologist",
            instruction=INSTRUCTIONS.read_text(encoding="utf-8"),
            foundation_model=model_arn(self, settings.model),
            agent_resource_role_arn=role.arn,
            auto_prepare=True,
            idle_session_ttl_in_seconds=IDLE_SESSION_SECONDS,
            action_groups=[
                bedrock.CfnAgent.AgentActionGroupProperty(
                    action_group_name=tool.name,
                    description=tool.description,
                    action_group_executor=bedrock.CfnAgent.ActionGroupExecutorProperty(
                        lambda_=function.function_arn
                    ),
                    function_schema=tool.function_schema(),
                )
                for tool, function in tools.functions
            ],
        )
        for _, function in tools.functions:
            function.add_permission(
                "Agent",
                principal=iam.ServicePrincipal("bedrock.amazonaws.com"),
                source_arn=agent.attr_agent_arn,
                source_account=self.account,
            )
        alias = bedrock.CfnAgentAlias(
            self,
            "Alias",
            agent_alias_name="live",
            agent_id=agent.attr_agent_id,
            # Only a change of the alias makes a new version of the agent.
            description=f"Fingerprint of the agent: {fingerprint(agent)}",
        )
        self.agent_id = agent.attr_agent_id
        self.alias_id = alias.attr_agent_alias_id
        cdk.CfnOutput(self, "AgentId", value=self.agent_id)
        cdk.CfnOutput(self, "AgentAliasId", value=self.alias_id)
