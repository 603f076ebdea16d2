"""The base of the sample agents' roles."""

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct


class ServiceRole:
    """A role for an AWS service that acts for a resource of the stack's account.

    Its policy is inline, because AWS checks an agent's role when it creates the agent, and a separate policy
    resource may come later. `role`: the CDK's role.
    """

    def __init__(self, scope: Construct, construct_id: str, *, service: str, source_arn: str) -> None:
        self._stack = cdk.Stack.of(scope)
        self._policy = iam.PolicyDocument()
        self.role = iam.Role(
            scope,
            construct_id,
            # Without the conditions anybody could have the service assume the role on behalf of their own
            # resources: docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
            assumed_by=iam.PrincipalWithConditions(
                iam.ServicePrincipal(service),
                {
                    "StringEquals": {"aws:SourceAccount": self._stack.account},
                    "ArnLike": {"aws:SourceArn": source_arn},
                },
            ),
            inline_policies={"Policy": self._policy},
        )
        self.arn = self.role.role_arn

    def allow(
        self,
        resources: list[str],
        *actions: str,
        conditions: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        """Let the role do `actions` to the resources with these ARNs."""
        self._policy.add_statements(
            iam.PolicyStatement(actions=list(actions), resources=resources, conditions=conditions)
        )

    def acknowledge_wildcard(self, resource: str, reason: str) -> None:
        """Tell cdk-nag why the policy has a star in `resource`."""
        cdk.Validations.of(self.role).acknowledge(
            cdk.Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{self._as_nag_writes_it(resource)}]", reason=reason
            )
        )

    def _as_nag_writes_it(self, resource: str) -> str:
        """With `<AWS::Region>` and the like in place of tokens."""
        resolved = self._stack.resolve(resource)
        if isinstance(resolved, str):
            return resolved
        _, parts = resolved["Fn::Join"]
        return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
