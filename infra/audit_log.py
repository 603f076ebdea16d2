"""The log group of the audit records."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct


class AuditLog(Construct):
    """`group` keeps who asked whom for a year, also after the bridge is gone. Its name is CloudFormation's.

    A name of ours would be taken when the bridge is made anew.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.group = logs.LogGroup(
            self, "Group", retention=logs.RetentionDays.ONE_YEAR, removal_policy=cdk.RemovalPolicy.RETAIN
        )
