"""The sample agent as an AgentCore harness, which any account can create."""

import aws_cdk as cdk
from aws_cdk import aws_bedrockagentcore as agentcore
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from config.bridge_toml import SampleAgent
from sample.bedrock_agent_stack import INSTRUCTIONS
from sample.model import allow_model
from sample.roles import ServiceRole
from sample.tool_functions import SampleTools, Tool

# The name under which the harness has the gateway, and by which its tools are allowed: all of them, and none
# of the harness's own (a shell and a file system), which would also be paid for in every request's tokens.
# docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-tools.html
GATEWAY = "gateway"

# Seconds without a question after which a session ends, and with it what the agent remembers of the thread.
# Its memory is paid for until then: at the service's default, 900, waiting would cost more than answering.
IDLE_SESSION_SECONDS = 300
# For how many days a memory keeps what was said, if there is one.
MEMORY_DAYS = 30
# For one answer. It takes about four model calls and three of tools; the worker waits no longer than 300.
TIMEOUT_SECONDS = 120
MAX_ITERATIONS = 15
MAX_TOKENS = 2000


class SampleHarnessStack(cdk.Stack):
    """The virtual meteorologist, and a gateway with its three tools. The bridge needs `harness_arn`.

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
            description="A sample agent for the bridge: a virtual meteorologist (Amazon Bedrock AgentCore)",
        )
        tools = SampleTools(self, "Tools", settings=settings)
        gateway = _Gateway(self, "Gateway", name=name, tools=tools).gateway
        role = self._execution_role(settings, gateway)
        harness = agentcore.CfnHarness(
            self,
            "Harness",
            harness_name=name.replace("-", "_"),  # takes no hyphens
            execution_role_arn=role.arn,
            model=agentcore.CfnHarness.HarnessModelConfigurationProperty(
                bedrock_model_config=agentcore.CfnHarness.HarnessBedrockModelConfigProperty(
                    model_id=settings.model, max_tokens=MAX_TOKENS
                )
            ),
            system_prompt=[
                agentcore.CfnHarness.HarnessSystemContentBlockProperty(
                    text=INSTRUCTIONS.read_text(encoding="utf-8")
                )
            ],
            tools=[
                agentcore.CfnHarness.HarnessToolProperty(
                    type="agentcore_gateway",
                    name=GATEWAY,
                    config=agentcore.CfnHarness.HarnessToolConfigurationProperty(
                        agent_core_gateway=agentcore.CfnHarness.HarnessAgentCoreGatewayConfigProperty(
                            gateway_arn=gateway.attr_gateway_arn,
                            outbound_auth=agentcore.CfnHarness.HarnessGatewayOutboundAuthProperty(aws_iam={}),
                        )
                    ),
                )
            ],
            allowed_tools=[f"@{GATEWAY}"],
            memory=_memory(settings),
            environment=agentcore.CfnHarness.HarnessEnvironmentProviderProperty(
                agent_core_runtime_environment=agentcore.CfnHarness.HarnessAgentCoreRuntimeEnvironmentProperty(
                    lifecycle_configuration=agentcore.CfnHarness.LifecycleConfigurationProperty(
                        idle_runtime_session_timeout=IDLE_SESSION_SECONDS
                    )
                )
            ),
            max_iterations=MAX_ITERATIONS,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        if settings.memory:
            self._allow_memory(role, harness.attr_memory_managed_memory_configuration_arn)
        self.harness_arn = harness.attr_arn
        cdk.CfnOutput(self, "HarnessArn", value=self.harness_arn)

    def _execution_role(self, settings: SampleAgent, gateway: agentcore.CfnGateway) -> ServiceRole:
        """The harness's permissions, from the policy in
        docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html
        without its memory, for which see `_allow_memory`.
        """
        role = _agentcore_role(self, "*")
        allow_model(role, settings)
        role.allow([gateway.attr_gateway_arn], "bedrock-agentcore:InvokeGateway")

        logs = self._log_groups("/aws/bedrock-agentcore/runtimes/*")
        role.allow([logs], "logs:CreateLogGroup", "logs:DescribeLogStreams")
        role.acknowledge_wildcard(logs, "AgentCore makes the harness's log group and ends its name itself.")
        streams = f"{logs}:log-stream:*"
        role.allow([streams], "logs:CreateLogStream", "logs:PutLogEvents")
        role.acknowledge_wildcard(streams, "AgentCore names the streams in the harness's log group.")
        any_log = self._log_groups("*")
        role.allow([any_log], "logs:DescribeLogGroups")
        role.acknowledge_wildcard(any_log, "To list log groups by name is to list them all.")

        role.allow(["*"], "xray:PutTelemetryRecords", "xray:PutTraceSegments")
        role.allow(["*"], "xray:GetSamplingRules", "xray:GetSamplingTargets")
        role.allow(["*"], "ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken")
        namespace = {"StringEquals": {"cloudwatch:namespace": "bedrock-agentcore"}}
        role.allow(["*"], "cloudwatch:PutMetricData", conditions=namespace)
        role.acknowledge_wildcard(
            "*",
            "Tracing, metrics (of one namespace) and the token that fetches the harness's own image know no "
            "resource.",
        )
        return role

    def _allow_memory(self, role: ServiceRole, memory_arn: str) -> None:
        """A separate policy, because the role exists before the harness, and the memory after it."""
        actions = ("CreateEvent", "GetEvent", "ListEvents", "DeleteEvent", "RetrieveMemoryRecords")
        iam.Policy(
            self,
            "MemoryPolicy",
            roles=[role.role],
            statements=[
                iam.PolicyStatement(
                    actions=[f"bedrock-agentcore:{action}" for action in actions], resources=[memory_arn]
                )
            ],
        )

    def _log_groups(self, name: str) -> str:
        return self.format_arn(
            service="logs",
            resource="log-group",
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )


def _memory(settings: SampleAgent) -> agentcore.CfnHarness.HarnessMemoryConfigurationProperty:
    """The memory, or that there is none: without a word the service creates one and bills for it."""
    if not settings.memory:
        return agentcore.CfnHarness.HarnessMemoryConfigurationProperty(disabled={})
    return agentcore.CfnHarness.HarnessMemoryConfigurationProperty(
        managed_memory_configuration=agentcore.CfnHarness.HarnessManagedMemoryConfigurationProperty(
            event_expiry_duration=MEMORY_DAYS
        )
    )


class _Gateway(Construct):
    """Offers the tools to callers with IAM permission. `gateway` may invoke the tools' functions."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, tools: SampleTools) -> None:
        super().__init__(scope, construct_id)
        role = _agentcore_role(self, "gateway/*")
        role.allow([function.function_arn for _, function in tools.functions], "lambda:InvokeFunction")
        self.gateway = agentcore.CfnGateway(
            self,
            "Gateway",
            name=name,
            description="Tools of the virtual meteorologist",
            protocol_type="MCP",
            authorizer_type="AWS_IAM",
            role_arn=role.arn,
        )
        for tool, function in tools.functions:
            self._add_target(tool, function)

    def _add_target(self, tool: Tool, function: lambda_.Function) -> None:
        agentcore.CfnGatewayTarget(
            self,
            tool.module.title(),
            gateway_identifier=self.gateway.attr_gateway_identifier,
            name=tool.module,
            description=tool.description,
            target_configuration=agentcore.CfnGatewayTarget.TargetConfigurationProperty(
                mcp=agentcore.CfnGatewayTarget.McpTargetConfigurationProperty(
                    lambda_=agentcore.CfnGatewayTarget.McpLambdaTargetConfigurationProperty(
                        lambda_arn=function.function_arn,
                        tool_schema=agentcore.CfnGatewayTarget.ToolSchemaProperty(
                            inline_payload=[tool.tool_definition()]
                        ),
                    )
                )
            ),
            credential_provider_configurations=[
                agentcore.CfnGatewayTarget.CredentialProviderConfigurationProperty(
                    credential_provider_type="GATEWAY_IAM_ROLE"
                )
            ],
        )


def _agentcore_role(scope: Construct, resources: str) -> ServiceRole:
    """A role that AgentCore assumes for these resources."""
    source = cdk.Stack.of(scope).format_arn(
        service="bedrock-agentcore", resource=resources, arn_format=cdk.ArnFormat.NO_RESOURCE_NAME
    )
    return ServiceRole(scope, "Role", service="bedrock-agentcore.amazonaws.com", source_arn=source)
