"""What the roles of the sample agents have in common."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam


def service_principal(service: str, source_arn: str, stack: cdk.Stack) -> iam.PrincipalWithConditions:
    """An AWS service, when it acts for `source_arn` in the stack's account.

    Without the conditions anybody could have the service assume the role on behalf of their own resources:
    docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    return iam.PrincipalWithConditions(
        iam.ServicePrincipal(service),
        {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": source_arn}},
    )


def acknowledge_wildcard(role: iam.Role, resource: str, reason: str) -> None:
    """Tell cdk-nag why a policy of `role` has a star in `resource`."""
    cdk.Validations.of(role).acknowledge(
        cdk.Acknowledgment(
            id=f"AwsSolutions-IAM5[Resource::{_as_nag_writes_it(role, resource)}]", reason=reason
        )
    )


def _as_nag_writes_it(role: iam.Role, resource: str) -> str:
    """With `<AWS::Region>` and so on for what is not known before the deployment."""
    resolved = cdk.Stack.of(role).resolve(resource)
    if isinstance(resolved, str):
        return resolved
    _, parts = resolved["Fn::Join"]
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
