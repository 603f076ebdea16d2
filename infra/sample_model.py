"""The model behind the sample agent, and what it takes to invoke it."""

import re

import aws_cdk as cdk

from infra.sample_roles import ServiceRole

# Amazon's own models need neither a subscription nor a form, so that a new account can use them at once; this
# profile may be called from every commercial region that has it. A team that must keep its questions in one
# geography takes that geography's profile, such as "eu.amazon.nova-2-lite-v1:0".
# docs.aws.amazon.com/bedrock/latest/userguide/model-card-amazon-nova-2-lite.html
DEFAULT_MODEL = "global.amazon.nova-2-lite-v1:0"

# What stands in front of a model's id in the id of an inference profile: a geography, or all of them.
# docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
PROFILE = re.compile(r"(?:global|apac|us-gov|[a-z]{2})\.(?P<model>.+)")

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")


def model_arn(stack: cdk.Stack, model: str) -> str:
    """The ARN of a foundation model or an inference profile, by its id."""
    if PROFILE.fullmatch(model):
        return stack.format_arn(service="bedrock", resource="inference-profile", resource_name=model)
    return _foundation_model_arn(stack, model, region=stack.region)


def allow_model(role: ServiceRole, model: str) -> None:
    """Let `role` invoke the model, with and without streaming.

    A profile hands the request to its model in one of many regions, and the caller needs leave for both; the
    condition admits the model only by way of this profile.
    docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    stack = cdk.Stack.of(role.role)
    arn = model_arn(stack, model)
    profile = PROFILE.fullmatch(model)
    if profile is None:
        role.allow([arn], *INVOKE)
        return
    role.allow([arn], *INVOKE, "bedrock:GetInferenceProfile")
    # The star also stands for no region at all, which is how a global profile names its model.
    everywhere = _foundation_model_arn(stack, profile["model"], region="*")
    role.allow([everywhere], *INVOKE, conditions={"StringEquals": {"bedrock:InferenceProfileArn": arn}})
    role.acknowledge_wildcard(everywhere, "AWS decides in which of the profile's regions the model runs.")


def _foundation_model_arn(stack: cdk.Stack, model: str, *, region: str) -> str:
    return stack.format_arn(
        service="bedrock", region=region, account="", resource="foundation-model", resource_name=model
    )
