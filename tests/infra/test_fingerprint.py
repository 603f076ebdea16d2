import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs

from infra.fingerprint import fingerprint


def stack(*, seconds: int = 30, queue: str = "Queue", beside: bool = False) -> cdk.Stack:
    app = cdk.App()
    made = cdk.Stack(app, "Stack")
    sqs.Queue(made, queue, visibility_timeout=cdk.Duration.seconds(seconds))
    if beside:
        sqs.Queue(cdk.Stack(app, "Other"), "Queue")
    return made


def test_the_same_stack_has_the_same_fingerprint_whatever_stands_beside_it() -> None:
    assert fingerprint(stack()) == fingerprint(stack()) == fingerprint(stack(beside=True))


def test_another_property_or_another_resource_makes_another_fingerprint() -> None:
    assert len({fingerprint(stack()), fingerprint(stack(seconds=31)), fingerprint(stack(queue="Other"))}) == 3


def test_a_single_resource_has_a_fingerprint_too() -> None:
    one, other = stack(), stack(seconds=31)
    assert fingerprint(one.node.find_child("Queue")) != fingerprint(other.node.find_child("Queue"))
