import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from config import deployment
from functions.adapters.aws.json_client import JsonClient
from simulator import wiring
from simulator.aws import BOT_TOKEN_SECRET_ID, FAKE_CREDENTIALS, REGION, SIGNING_SECRET_ID, TABLE, Aws

QUEUE = wiring.QUESTIONS


@pytest.fixture
def aws() -> Iterator[Aws]:
    aws = Aws()
    aws.start()
    aws.create_resources(signing_secret="signing", bot_token="xoxb-token", max_receive_count=2)
    yield aws
    aws.stop()


def send(aws: Aws, group: str, deduplication_id: str, body: str = "{}") -> None:
    aws.sqs.send_message(
        QueueUrl=aws.queue_url(QUEUE),
        MessageBody=body,
        MessageGroupId=group,
        MessageDeduplicationId=deduplication_id,
    )


def receive(aws: Aws, queue: wiring.Queue = QUEUE, *, wait: int = 0, visibility: int = 60) -> list[str]:
    answer = aws.sqs.receive_message(
        QueueUrl=aws.queue_url(queue), WaitTimeSeconds=wait, VisibilityTimeout=visibility
    )
    return [message["Body"] for message in answer.get("Messages", [])]


def test_a_function_that_calls_before_all_is_there_waits() -> None:
    aws = Aws()
    aws.start()
    try:
        of_function = JsonClient(
            "secretsmanager",
            {
                **FAKE_CREDENTIALS,
                "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.url,
                "AWS_SDK_UA_APP_ID": "f" * 32,
            },
        )
        with ThreadPoolExecutor(1) as pool:
            secret = pool.submit(of_function.call, "GetSecretValue", SecretId=BOT_TOKEN_SECRET_ID)
            time.sleep(0.2)
            aws.create_resources(signing_secret="signing", bot_token="xoxb-token")
            assert secret.result(30)["SecretString"] == "xoxb-token"
    finally:
        aws.stop()


def test_the_queues_are_as_wired(aws: Aws) -> None:
    attributes = aws.sqs.get_queue_attributes(QueueUrl=aws.queue_url(QUEUE), AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["FifoQueue"] == "true"
    assert int(attributes["VisibilityTimeout"]) == QUEUE.visibility_timeout
    assert int(attributes["MessageRetentionPeriod"]) == QUEUE.retention
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["maxReceiveCount"] == 2
    assert redrive["deadLetterTargetArn"].endswith(":agent-bridge-dead-letters.fifo")


def test_the_secrets_hold_what_they_were_given(aws: Aws) -> None:
    assert aws.secrets.get_secret_value(SecretId=SIGNING_SECRET_ID)["SecretString"] == "signing"
    assert aws.secrets.get_secret_value(SecretId=BOT_TOKEN_SECRET_ID)["SecretString"] == "xoxb-token"


def test_the_table_has_both_keys_and_a_ttl(aws: Aws) -> None:
    keys = aws.dynamodb.describe_table(TableName=TABLE)["Table"]["KeySchema"]
    assert [key["AttributeName"] for key in keys] == list(deployment.TABLE_KEYS)
    ttl = aws.dynamodb.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert ttl["AttributeName"] == deployment.TABLE_TTL_ATTRIBUTE


def test_a_waiting_receiver_gets_a_message_that_is_sent_later(aws: Aws) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(receive, aws, wait=20)
        send(aws, "thread", "1", "hello")
        assert waiting.result() == ["hello"]


def test_a_waiting_receiver_gets_a_message_whose_visibility_timeout_ran_out(aws: Aws) -> None:
    send(aws, "thread", "1", "hello")
    assert receive(aws, visibility=1) == ["hello"]
    assert receive(aws, wait=20) == ["hello"]


def test_a_receiver_that_waits_at_a_locked_group_costs_no_cpu(aws: Aws) -> None:
    send(aws, "thread", "1", "first")
    send(aws, "thread", "2", "second")
    assert receive(aws) == ["first"]
    before = time.process_time()
    assert receive(aws, wait=1) == []
    assert time.process_time() - before < 0.5


def test_a_waiting_receiver_is_answered_when_polls_are_ended(aws: Aws) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(receive, aws, wait=20)
        aws.end_polls()
        assert waiting.result() == []


def test_of_many_conditional_writes_at_once_one_succeeds(aws: Aws) -> None:
    # Looked up here: botocore makes the classes at their first use, and two threads would make them twice.
    refused = aws.dynamodb.exceptions.ConditionalCheckFailedException

    def write(number: int) -> bool:
        try:
            aws.dynamodb.put_item(
                TableName=TABLE,
                Item={"turn_id": {"S": "t"}, "item": {"S": "turn"}, "by": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(turn_id)",
            )
        except refused:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(write, range(50))).count(True) == 1


@pytest.mark.usefixtures("aws")
def test_a_second_aws_in_one_process_is_refused() -> None:
    second = Aws()
    with pytest.raises(RuntimeError, match="global"):
        second.start()
    second.stop()


def test_nothing_is_left_for_the_next_one() -> None:
    for _ in range(2):
        aws = Aws()
        aws.start()
        try:
            aws.create_resources(signing_secret="s", bot_token="t")
        finally:
            aws.stop()
