"""The CDK's entry point: reads bridge.toml and instantiates the stacks.

`--context config=bridge.prod.toml` names another file.
"""

import os
import sys
from pathlib import Path

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from config.bridge_toml import CONFIG_FILE, Config, ConfigError, Deployment, read_config
from functions.settings import AgentMemory, AgentSettings
from infra.bridge_stack import BridgeStack, Sample
from infra.fingerprint import fingerprint
from sample import bedrock_agent_stack, harness_stack

FOLDER = Path(__file__).parent


def main() -> None:
    app = cdk.App()
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    try:
        # The CDK's command line says where it would deploy to: its own or the AWS CLI's choice of region.
        file = FOLDER / (app.node.try_get_context("config") or CONFIG_FILE)
        config = read_config(file, cli_region=os.environ.get("CDK_DEFAULT_REGION"))
        _as_the_organization_asks(app, config.deployment)
        BridgeStack(app, config.name, config=config, sample=_sample(app, config))
    except ConfigError as error:
        sys.exit(str(error))
    app.synth()


def _as_the_organization_asks(app: cdk.App, deployment: Deployment) -> None:
    """Tags, boundary and qualifier of all stacks. To be called before there are any."""
    for name, value in deployment.tags.items():
        cdk.Tags.of(app).add(name, value)
    if deployment.permissions_boundary:
        app.node.set_context("@aws-cdk/core:permissionsBoundary", {"arn": deployment.permissions_boundary})
    if deployment.qualifier:
        app.node.set_context("@aws-cdk/core:bootstrapQualifier", deployment.qualifier)


def _sample(app: cdk.App, config: Config) -> Sample | None:
    """The sample agent, in a stack beside the bridge's, if the configuration asks for one."""
    name = f"{config.name}-sample"
    description = "the weather, anywhere"
    match config.sample:
        case "harness":
            harness = harness_stack.SampleHarnessStack(
                app, name, name=config.name, region=config.region, settings=config.sample_agent
            )
            agent = AgentSettings(
                "agentcore-harness",
                arn=harness.harness_arn,
                memory=AgentMemory.AGENT if config.sample_agent.memory else AgentMemory.SESSION,
                idle_seconds=harness_stack.IDLE_SESSION_SECONDS,
                description=description,
            )
            return Sample(agent, fingerprint(harness))
        case "classic":
            classic = bedrock_agent_stack.SampleAgentStack(
                app, name, name=config.name, region=config.region, settings=config.sample_agent
            )
            agent = AgentSettings(
                "bedrock-agent",
                agent_id=classic.agent_id,
                alias_id=classic.alias_id,
                idle_seconds=bedrock_agent_stack.IDLE_SESSION_SECONDS,
                description=description,
            )
            return Sample(agent, fingerprint(classic))
    return None


if __name__ == "__main__":
    main()
