"""A transaction of the stand-in for DynamoDB does what it says, however large the table is."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulator.aws import TABLE, Aws

OTHERS = 40


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    aws = Aws()
    aws.start()
    aws.create_resources(signing_secret="signing", bot_token="xoxb-token")
    yield aws
    aws.stop()


@pytest.fixture(autouse=True)
def _many_items(aws: Aws) -> None:
    for number in range(OTHERS):
        aws.dynamodb.put_item(TableName=TABLE, Item={**key(f"other-{number}"), "count": {"N": "1"}})
    for name in ("first", "second"):
        aws.dynamodb.put_item(TableName=TABLE, Item={**key(name), "count": {"N": "1"}})


def key(turn_id: str) -> dict[str, Any]:
    return {"turn_id": {"S": turn_id}, "item": {"S": "record"}}


def adding(name: str, **more: Any) -> Any:
    update = {
        "TableName": TABLE,
        "Key": key(name),
        "UpdateExpression": "ADD #count :one",
        "ExpressionAttributeNames": {"#count": "count"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    return {"Update": update | more}


def counts(aws: Aws) -> dict[str, str]:
    items = aws.dynamodb.scan(TableName=TABLE, ConsistentRead=True)["Items"]
    return {item["turn_id"]["S"]: item["count"]["N"] for item in items}


BEFORE = {**{f"other-{number}": "1" for number in range(OTHERS)}, "first": "1", "second": "1"}


def test_a_transaction_changes_the_items_that_it_names_and_no_others(aws: Aws) -> None:
    aws.dynamodb.transact_write_items(TransactItems=[adding("first"), adding("second")])
    assert counts(aws) == {**BEFORE, "first": "2", "second": "2"}


def test_a_transaction_may_make_an_item_and_delete_another(aws: Aws) -> None:
    delete: Any = {"Delete": {"TableName": TABLE, "Key": key("first")}}
    aws.dynamodb.transact_write_items(TransactItems=[adding("new"), delete])
    found = counts(aws)
    assert found == {**{name: count for name, count in BEFORE.items() if name != "first"}, "new": "1"}
    aws.dynamodb.delete_item(TableName=TABLE, Key=key("new"))


def test_a_transaction_whose_condition_fails_changes_nothing(aws: Aws) -> None:
    refused = adding("second", ConditionExpression="attribute_not_exists(turn_id)")
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        aws.dynamodb.transact_write_items(TransactItems=[adding("first"), refused])
    assert counts(aws) == BEFORE


def test_a_transaction_copies_the_items_that_it_names_only(aws: Aws) -> None:
    from moto.dynamodb.models.dynamo_type import Item

    tracked: list[object] = Item.instances_tracked  # type: ignore[attr-defined]
    before = len(tracked)
    aws.dynamodb.transact_write_items(TransactItems=[adding("first"), adding("second")])
    assert len(tracked) - before < OTHERS
