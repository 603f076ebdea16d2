import pytest

from bench import cost
from config import deployment
from simulator.tap import Call

KEY = {name: {"S": "x"} for name in deployment.TABLE_KEYS}


def test_a_write_costs_by_the_larger_of_what_stood_there_and_what_stands_there_now() -> None:
    owed = {":rest": {"S": "x" * 3000}}
    calls = [
        _call("PutItem", Item=KEY),
        _call("UpdateItem", Key=KEY, ExpressionAttributeValues=owed),
        _call("UpdateItem", Key=KEY),
        _call("GetItem", Key=KEY),
    ]

    assert cost.write_units(calls) == 1 + 3 + 3


def test_a_write_in_a_transaction_costs_twice_as_much() -> None:
    update = {"Update": {"Key": KEY, "ExpressionAttributeValues": {}}}

    assert cost.write_units([_call("TransactWriteItems", TransactItems=[update, update])]) == 4


def test_what_waits_for_the_agent_is_paid_by_the_second_and_by_the_lease() -> None:
    question = cost.Question(
        receiver=0.01, worker=0.5, write_units=6, read_units=1, sqs_requests=4, logged=3000
    )

    short, long = (cost.ours(question, seconds) for seconds in (5, 60))

    by_the_second = [costs["worker"] - cost.LAMBDA_REQUEST for costs in (short, long)]
    assert by_the_second[1] / by_the_second[0] == pytest.approx(60.5 / 5.5)
    looks = (60 - 5) * 2 * cost.READ_UNIT  # for a Stop, each half second
    assert long["DynamoDB"] - short["DynamoDB"] == pytest.approx(3 * cost.WRITE_UNIT + looks)
    assert long["HTTP API"] == short["HTTP API"]


def _call(operation: str, **arguments: object) -> Call:
    return Call("DynamoDB", operation, arguments, "worker")
