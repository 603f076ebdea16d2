"""The table that remembers turns."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from config.deployment import TABLE_KEYS, TABLE_TTL_ATTRIBUTE


class Ledger(Construct):
    """`table` has one partition per turn, and every item in it ends by itself (`expires_at`)."""

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
                # For a mistake that is noticed. What people wrote is to be gone when the ledger forgets it;
                # the default keeps it for 35 days more.
                recovery_period_in_days=1,
            ),
            # What it holds is of use for days and partly what people wrote: it goes with the bridge.
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
