"""Bedrock's models: in which regions and through which inference profiles each can be called.

As of November 2026, from
docs.aws.amazon.com/bedrock/latest/userguide/models-region-compatibility.html
docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html

A deployment with a wrong id succeeds, but the agent cannot answer. So ids that are certainly wrong are
refused. For models that are not in the table only the geography is checked.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from config.arns import REGIONS

# Amazon's own models need neither a subscription nor a form. This profile can be called from every commercial
# region that has it. A team that must keep its questions in one geography takes that geography's profile,
# such as "eu.amazon.nova-2-lite-v1:0".
# docs.aws.amazon.com/bedrock/latest/userguide/model-card-amazon-nova-2-lite.html
DEFAULT_MODEL = "global.amazon.nova-2-lite-v1:0"

# The prefix of an inference profile's id, and a pattern of the regions where such a profile can be called.
GEOGRAPHIES = {
    "global": REGIONS["aws"],
    "us": r"(us-east|us-west|ca-[a-z]+)-\d+",
    "ca": r"ca-[a-z]+-\d+",
    "eu": r"(eu|il|eusc-de)-[a-z]+-\d+",
    "apac": r"(ap|me)-[a-z]+-\d+",
    "jp": r"ap-northeast-[13]",
    "au": r"ap-southeast-[246]",
    "us-gov": REGIONS["aws-us-gov"],
}


@dataclass(frozen=True)
class Model:
    """How a model is called.

    Attributes:
        geographies: the prefixes of its inference profiles.
        regions: regions where its own id can be called too.
        only_global: exceptions to its geographies: regions with the global profile at most.
        absent: exceptions to its geographies: regions where it cannot be called.

    The exceptions are complete only for regions with AgentCore's harness or Amazon Bedrock agents.
    """

    geographies: tuple[str, ...]
    regions: tuple[str, ...] = ()
    only_global: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    def reached(self, geography: str, region: str | None) -> bool:
        """Whether its inference profile of this geography can be called from the region."""
        if geography not in self.geographies or region in self.absent:
            return False
        return _reaches(geography, region) and (geography == "global" or region not in self.only_global)


_NOVA_LITE = (
    *("us-east-1", "us-east-2", "us-west-2", "us-gov-west-1", "eu-north-1", "eu-west-2"),
    *("ap-northeast-1", "ap-southeast-2", "ap-southeast-3", "me-central-1"),
)
_NOVA_PRO = ("us-east-1", "us-gov-west-1", "eu-west-2", "ap-southeast-2", "ap-southeast-3", "me-central-1")
_NOVA_MICRO = ("us-east-1", "us-gov-west-1", "eu-west-2", "ap-southeast-2")
_HAIKU = ("us-east-1", "eu-north-1", "eu-west-1", "ap-northeast-1", "ap-southeast-4")
_CLAUDE_5 = ("us-east-1", "us-gov-west-1", "eu-north-1", "eu-west-1", "ap-southeast-4")
_NO_NOVA = ("ap-northeast-3", "ap-south-2", "eu-central-2")

MODELS = {
    "amazon.nova-2-lite-v1:0": Model(
        ("global", "us", "eu", "jp"), only_global=("eu-west-2",), absent=(*_NO_NOVA, "sa-east-1")
    ),
    "amazon.nova-premier-v1:0": Model(("us",), absent=("ca-central-1",)),
    "amazon.nova-pro-v1:0": Model(
        ("us", "eu", "apac"), _NOVA_PRO, ("eu-west-2",), (*_NO_NOVA, "ca-central-1")
    ),
    "amazon.nova-lite-v1:0": Model(("us", "ca", "eu", "apac"), _NOVA_LITE, ("eu-west-2",), _NO_NOVA),
    "amazon.nova-micro-v1:0": Model(
        ("us", "eu", "apac"), _NOVA_MICRO, ("eu-west-2",), (*_NO_NOVA, "ca-central-1")
    ),
    "anthropic.claude-haiku-4-5-20251001-v1:0": Model(("global", "us", "eu", "jp", "au"), _HAIKU),
    "anthropic.claude-sonnet-4-5-20250929-v1:0": Model(("global", "us", "eu", "jp", "au", "us-gov")),
    "anthropic.claude-sonnet-4-6": Model(("global", "us", "eu", "jp", "au"), ("eu-west-2",)),
    "anthropic.claude-sonnet-5": Model(
        ("global", "us", "eu", "au", "us-gov"), _CLAUDE_5, only_global=("ap-southeast-2",)
    ),
    "anthropic.claude-opus-5": Model(("global", "us", "eu", "au", "us-gov"), _CLAUDE_5),
}


def split_profile(model: str) -> tuple[str, str]:
    """The geography of an id ("" for a model's own id), and the model's id."""
    first, _, rest = model.partition(".")
    if first in GEOGRAPHIES or re.fullmatch("[a-z]{2}", first) or rest in MODELS:
        return first, rest
    return "", model


def problem_with(model: str, region: str | None) -> tuple[str, str] | None:
    """Why an id cannot be called in a region, and which ids can; None if nothing is certainly wrong.

    `region`: None where it is not known.
    """
    geography, bare = split_profile(model)
    known = MODELS.get(bare)
    if known is None:
        if meant := _likely_meant(bare):
            return "seems to be misspelt", _callable_ids(meant, region)
        if not _reaches(geography, region):
            return f"cannot be called from {region}", _callable_profiles(region)
        return None
    if geography and geography not in known.geographies:
        return "is no inference profile", _callable_ids(bare, region)
    if geography and not known.reached(geography, region):
        return f"cannot be called from {region}", _callable_ids(bare, region)
    if not geography and region not in known.regions and (region or not known.regions):
        return f"needs an inference profile{f' in {region}' if region else ''}", _callable_ids(bare, region)
    return None


def unchecked(model: str) -> str | None:
    """A warning about an id that is not refused but cannot be checked; None for an id that is right."""
    geography, bare = split_profile(model)
    if bare in MODELS:
        return None
    doubt = "there is such a profile" if geography else "it can be called without an inference profile"
    return (
        f"sample_agent.model is {model}, which is not in config/models.py: nobody has checked whether {doubt}"
    )


def _reaches(geography: str, region: str | None) -> bool:
    """Whether such a profile can be called from the region; True for "" and unknown geographies."""
    return region is None or re.fullmatch(GEOGRAPHIES.get(geography, ".*"), region) is not None


def _callable_ids(bare: str, region: str | None) -> str:
    """The ids by which a known model can be called in the region, or else other models' ids."""
    others = [one for model in MODELS for one in _ids(model, region)]
    return " or ".join(f'"{one}"' for one in _ids(bare, region) or others)


def _ids(bare: str, region: str | None) -> list[str]:
    known = MODELS[bare]
    profiles = [f"{geography}.{bare}" for geography in known.geographies if known.reached(geography, region)]
    return [*profiles, bare] if region in known.regions else profiles


def _callable_profiles(region: str | None) -> str:
    names = [f'"{geography}."' for geography in GEOGRAPHIES if _reaches(geography, region)]
    return f"a profile that begins with {' or '.join(names)}, or a model without a profile"


def _likely_meant(bare: str) -> str | None:
    """The known id that `bare` abbreviates or misspells. Its numbers must be equal: they are versions."""
    for known in MODELS:
        if re.fullmatch(re.escape(bare) + r"(-\d{8})?(-v\d+)?(:\d+)?", known):
            return known
    for known in get_close_matches(bare, MODELS, cutoff=0.9):
        if re.findall(r"\d+", known) == re.findall(r"\d+", bare):
            return known
    return None
