"""The DynamoDB table that records turns."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from config.deployment import TABLE_KEYS, TABLE_TTL_ATTRIBUTE


class Ledger(Construct):
    """`table` has one partition for each turn. Every item expires (`expires_at`)."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        partition, sort = TABLE_KEYS
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name=partition, type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name=sort, type=dynamodb.AttributeType.STRING),
            time_to_live_attribute=TABLE_TTL_ATTRIBUTE,
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True,
                # The default, 35 days, would keep what people wrote long after its item has expired.
                recovery_period_in_days=1,
            ),
            # Its items are of use for days, and hold what people wrote.
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
