"""The permissions to invoke the sample agent's model."""

import aws_cdk as cdk

from config.bridge_toml import SampleAgent
from config.models import split_profile, unchecked
from sample.roles import ServiceRole

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")


# Bedrock uses these to subscribe to a third-party model at its first call.
# docs.aws.amazon.com/bedrock/latest/userguide/model-access.html
SUBSCRIBE = ("aws-marketplace:Subscribe", "aws-marketplace:ViewSubscriptions")


def model_arn(stack: cdk.Stack, model: str) -> str:
    """The ARN of a foundation model or an inference profile, by its id."""
    geography, _ = split_profile(model)
    if geography:
        return stack.format_arn(service="bedrock", resource="inference-profile", resource_name=model)
    return _foundation_model_arn(stack, model, region=stack.region)


def allow_model(role: ServiceRole, settings: SampleAgent) -> None:
    """Let `role` invoke the model, with and without streaming, and do what the settings ask for.

    An inference profile forwards the request to its model in one of many regions, and the caller needs
    permission for both. The condition allows the model only through this profile.
    docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    stack = cdk.Stack.of(role.role)
    if warning := unchecked(settings.model):
        cdk.Annotations.of(stack).add_warning_v2("slack-agent-bridge:model", warning)
    arn = model_arn(stack, settings.model)
    geography, model = split_profile(settings.model)
    if geography:
        role.allow([arn], *INVOKE, "bedrock:GetInferenceProfile")
        # The star also matches an empty region, with which a global profile names its model.
        everywhere = _foundation_model_arn(stack, model, region="*")
        role.allow([everywhere], *INVOKE, conditions={"StringEquals": {"bedrock:InferenceProfileArn": arn}})
        role.acknowledge_wildcard(everywhere, "AWS decides in which of the profile's regions the model runs.")
    else:
        role.allow([arn], *INVOKE)
    if settings.guardrails:
        role.allow(list(settings.guardrails), "bedrock:ApplyGuardrail")
    if settings.marketplace:
        # The condition is that of AWS's own policy AmazonBedrockFullAccess.
        through_bedrock = {"StringEquals": {"aws:CalledViaLast": "bedrock.amazonaws.com"}}
        role.allow(["*"], *SUBSCRIBE, conditions=through_bedrock)
        role.acknowledge_wildcard("*", "AWS Marketplace knows no resource for a subscription.")


def _foundation_model_arn(stack: cdk.Stack, model: str, *, region: str) -> str:
    return stack.format_arn(
        service="bedrock", region=region, account="", resource="foundation-model", resource_name=model
    )
