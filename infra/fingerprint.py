"""A short text that changes when the resources of a scope change."""

import hashlib
import json

import aws_cdk as cdk
from constructs import IConstruct


def fingerprint(scope: IConstruct) -> str:
    """A hash of the resources in `scope`, as in the template: 16 hexadecimal digits."""
    stack = cdk.Stack.of(scope)
    resources = {
        stack.resolve(resource.logical_id): [
            resource.cfn_resource_type,
            stack.resolve(resource._cfn_properties),
        ]
        for resource in scope.node.find_all()
        if isinstance(resource, cdk.CfnResource)
    }
    return hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()[:16]
