"""What an error of an agent that was at work is told as."""

import pytest

from functions.bridge.agents.failures import MAY_HAVE_ACTED, NOT_STARTED, Failure, at_work


@pytest.mark.parametrize(
    "name",
    [
        "throttlingException",
        "ThrottlingException",
        "ModelThrottledException",
        "TooManyRequestsException",
        "RateLimitError",
        "RATE_LIMIT_EXCEEDED",
    ],
)
def test_throttling_is_known_by_the_names_that_services_and_frameworks_give_it(name: str) -> None:
    assert at_work(name) is Failure.THROTTLED_AT_WORK
    message = f"An error occurred ({name}) when calling the ConverseStream operation: slow down"
    assert at_work("runtimeClientError", message=message) is Failure.THROTTLED_AT_WORK


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ConnectionError", ""),
        ("runtimeClientError", "my engine (throttle) is broken, said the user"),
        ("", "An error occurred (ValidationException) when calling the Converse operation: throttling"),
    ],
)
def test_an_error_that_only_mentions_throttling_is_no_throttling(name: str, message: str) -> None:
    assert at_work(name, message=message) is Failure.INTERNAL


def test_an_agent_that_was_throttled_at_work_is_not_asked_again_by_itself() -> None:
    assert Failure.THROTTLED_AT_WORK in MAY_HAVE_ACTED - NOT_STARTED
