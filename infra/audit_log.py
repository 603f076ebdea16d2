"""The log group of the audit records."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct


class AuditLog(Construct):
    """`group` keeps the audit records for a year, even after the stack is deleted.

    CloudFormation chooses its name, because a fixed one would be taken when the bridge is deployed again.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.group = logs.LogGroup(
            self, "Group", retention=logs.RetentionDays.ONE_YEAR, removal_policy=cdk.RemovalPolicy.RETAIN
        )
