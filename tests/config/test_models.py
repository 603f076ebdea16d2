import re

import pytest
from aws_cdk import aws_bedrock as bedrock

from config.arns import REGIONS
from config.models import DEFAULT_MODEL, GEOGRAPHIES, MODELS, problem_with, split_profile, unchecked
from config.regions import regions_with

# The ids of all models that CDK lists: bare ones.
LISTED = sorted(
    getattr(bedrock.FoundationModelIdentifier, name).model_id
    for name in dir(bedrock.FoundationModelIdentifier)
    if name.isupper()
)


def test_the_default_model_answers_in_every_commercial_region_that_has_the_harness_but_one() -> None:
    regions = [
        region
        for region in regions_with("AWS::BedrockAgentCore::Harness")
        if re.fullmatch(REGIONS["aws"], region)
    ]
    assert len(regions) > 10
    assert [region for region in regions if problem_with(DEFAULT_MODEL, region)] == ["sa-east-1"]
    assert unchecked(DEFAULT_MODEL) is None


@pytest.mark.parametrize(
    ("model", "region", "problem", "allowed"),
    [
        (
            "amazon.nova-2-lite-v1:0",
            "ap-northeast-1",
            "needs an inference profile in ap-northeast-1",
            '"global.amazon.nova-2-lite-v1:0" or "jp.amazon.nova-2-lite-v1:0"',
        ),
        (
            "amazon.nova-premier-v1:0",
            None,
            "needs an inference profile",
            '"us.amazon.nova-premier-v1:0"',
        ),
        (
            "amazon.nova-pro-v1:0",
            "eu-west-1",
            "needs an inference profile in eu-west-1",
            '"eu.amazon.nova-pro-v1:0"',
        ),
        (
            "us.amazon.nova-lite-v1:0",
            "eu-west-2",
            "cannot be called from eu-west-2",
            '"amazon.nova-lite-v1:0"',
        ),
        (
            "jp.meta.llama4-scout-17b-instruct-v1:0",
            "us-east-1",
            "cannot be called from us-east-1",
            'a profile that begins with "global." or "us.", or a model without a profile',
        ),
        (
            "apac.amazon.nova-2-lite-v1:0",
            "ap-southeast-2",
            "is no inference profile",
            '"global.amazon.nova-2-lite-v1:0"',
        ),
        (
            "gobal.amazon.nova-2-lite-v1:0",
            "eu-north-1",
            "is no inference profile",
            '"global.amazon.nova-2-lite-v1:0" or "eu.amazon.nova-2-lite-v1:0"',
        ),
        (
            "eu.amazon.nova-2-light-v1:0",
            "eu-north-1",
            "seems to be misspelt",
            '"global.amazon.nova-2-lite-v1:0" or "eu.amazon.nova-2-lite-v1:0"',
        ),
        (
            "anthropic.claude-haiku-4-5",
            "us-west-2",
            "seems to be misspelt",
            '"global.anthropic.claude-haiku-4-5-20251001-v1:0" or '
            '"us.anthropic.claude-haiku-4-5-20251001-v1:0"',
        ),
        (
            "eu.amazon.nova-2-lite-v1:0",
            "eu-west-2",
            "cannot be called from eu-west-2",
            '"global.amazon.nova-2-lite-v1:0"',
        ),
        (
            DEFAULT_MODEL,
            "sa-east-1",
            "cannot be called from sa-east-1",
            '"global.anthropic.claude-haiku-4-5-20251001-v1:0" or '
            '"global.anthropic.claude-sonnet-4-5-20250929-v1:0" or "global.anthropic.claude-sonnet-4-6" or '
            '"global.anthropic.claude-sonnet-5" or "global.anthropic.claude-opus-5"',
        ),
    ],
)
def test_an_id_that_is_certainly_wrong_is_refused_with_the_right_ones(
    model: str, region: str | None, problem: str, allowed: str
) -> None:
    assert problem_with(model, region) == (problem, allowed)


@pytest.mark.parametrize(
    ("model", "region"),
    [
        ("amazon.nova-lite-v1:0", "us-east-1"),
        ("amazon.nova-lite-v1:0", None),
        ("us.amazon.nova-2-lite-v1:0", "ca-central-1"),
        ("us.amazon.nova-2-lite-v1:0", None),
        ("us-gov.anthropic.claude-sonnet-5", "us-gov-east-1"),
        ("au.anthropic.claude-sonnet-4-6", "ap-southeast-6"),
    ],
)
def test_a_right_id_passes_without_a_warning(model: str, region: str | None) -> None:
    assert problem_with(model, region) is None
    assert unchecked(model) is None


@pytest.mark.parametrize("model", [model for model in LISTED if model not in MODELS])
def test_a_model_that_is_not_in_the_table_is_not_taken_for_another(model: str) -> None:
    assert problem_with(model, "us-east-1") is None
    assert unchecked(model) == (
        f"sample_agent.model is {model}, which is not in config/models.py: "
        "nobody has checked whether it can be called without an inference profile"
    )


@pytest.mark.parametrize("model", ["us.meta.llama4-scout-17b-instruct-v1:0", "in.amazon.nova-3-lite-v1:0"])
def test_an_unknown_profile_passes_with_a_warning(model: str) -> None:
    assert problem_with(model, "us-east-1") is None
    assert unchecked(model) == (
        f"sample_agent.model is {model}, which is not in config/models.py: "
        "nobody has checked whether there is such a profile"
    )


def test_the_table_names_geographies_and_regions_that_there_are() -> None:
    for model in MODELS.values():
        assert {*model.geographies} <= GEOGRAPHIES.keys()
        assert {*model.regions, *model.only_global, *model.absent} <= {*regions_with("AWS::Lambda::Function")}


@pytest.mark.parametrize("model", MODELS)
def test_a_known_id_is_taken_apart_and_put_together(model: str) -> None:
    assert split_profile(model) == ("", model)
    for geography in MODELS[model].geographies:
        assert split_profile(f"{geography}.{model}") == (geography, model)
