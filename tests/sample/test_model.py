from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from config.bridge_toml import SampleAgent
from config.models import DEFAULT_MODEL
from sample.model import allow_model, model_arn
from sample.roles import ServiceRole

INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]


@pytest.fixture
def stack(cdk_context: dict[str, Any]) -> cdk.Stack:
    environment = cdk.Environment(account="111122223333", region="eu-central-1")
    return cdk.Stack(cdk.App(context=cdk_context), "Stack", env=environment)


def statements(stack: cdk.Stack, model: str, **settings: Any) -> list[dict[str, Any]]:
    role = ServiceRole(stack, "Role", service="bedrock.amazonaws.com", source_arn="*")
    allow_model(role, SampleAgent(model=model, **settings))
    (resource,) = Template.from_stack(stack).find_resources("AWS::IAM::Role").values()
    (policy,) = resource["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_the_default_is_an_inference_profile(stack: cdk.Stack) -> None:
    assert ":inference-profile/" in stack.resolve(model_arn(stack, DEFAULT_MODEL))


@pytest.mark.parametrize(
    "model",
    [
        "global.amazon.nova-2-lite-v1:0",
        "us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "eu.amazon.nova-lite-v1:0",
        "apac.amazon.nova-lite-v1:0",
        "us-gov.anthropic.claude-3-haiku-20240307-v1:0",
    ],
)
def test_a_profile_is_allowed_and_its_model_only_by_way_of_it(stack: cdk.Stack, model: str) -> None:
    profile = f"arn:aws:bedrock:eu-central-1:111122223333:inference-profile/{model}"
    assert model_arn(stack, model) == profile
    assert statements(stack, model) == [
        {
            "Effect": "Allow",
            "Action": ["bedrock:GetInferenceProfile", *INVOKE],
            "Resource": profile,
        },
        {
            "Effect": "Allow",
            "Action": INVOKE,
            "Resource": f"arn:aws:bedrock:*::foundation-model/{model.partition('.')[2]}",
            "Condition": {"StringEquals": {"bedrock:InferenceProfileArn": profile}},
        },
    ]


@pytest.mark.parametrize("model", ["amazon.nova-lite-v1:0", "ai21.jamba-1-5-mini-v1:0", "zai.glm-4.7"])
def test_a_foundation_model_is_allowed_in_the_stacks_region(stack: cdk.Stack, model: str) -> None:
    assert statements(stack, model) == [
        {
            "Effect": "Allow",
            "Action": INVOKE,
            "Resource": f"arn:aws:bedrock:eu-central-1::foundation-model/{model}",
        }
    ]


def test_a_model_of_another_company_may_be_subscribed_to_through_bedrock_only(stack: cdk.Stack) -> None:
    *_, statement = statements(stack, "eu.anthropic.claude-sonnet-4-6", marketplace=True)
    assert statement == {
        "Effect": "Allow",
        "Action": ["aws-marketplace:Subscribe", "aws-marketplace:ViewSubscriptions"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:CalledViaLast": "bedrock.amazonaws.com"}},
    }


def test_the_guardrails_that_are_enforced_may_be_applied(stack: cdk.Stack) -> None:
    guardrail = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/a1b2c3d4e5f6"
    *_, statement = statements(stack, "eu.amazon.nova-2-lite-v1:0", guardrails=(guardrail,))
    assert statement == {"Effect": "Allow", "Action": "bedrock:ApplyGuardrail", "Resource": guardrail}


def test_synth_warns_of_a_model_that_cannot_be_checked(stack: cdk.Stack) -> None:
    statements(stack, "zai.glm-4.7")
    Annotations.from_stack(stack).has_warning(
        "/Stack", Match.string_like_regexp("zai.glm-4.7, which is not in")
    )


def test_a_known_model_causes_no_warning(stack: cdk.Stack) -> None:
    statements(stack, DEFAULT_MODEL)
    Annotations.from_stack(stack).has_no_warning("*", Match.any_value())
