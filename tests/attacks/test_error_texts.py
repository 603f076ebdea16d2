"""Errors of a runtime's own code that come as an answer, and what of them reaches the thread and the log."""

import logging
import socket
import threading
from collections.abc import Iterator

import pytest
import urllib3

from functions.adapters.agents import client as aws
from functions.adapters.agents.ag_ui import AgUiTranslator
from functions.adapters.agents.runtime_events import RuntimeTranslator
from functions.adapters.slack import chat as slack
from functions.bridge.agents.events import AgentEvent, Failed, Finished, TextDelta
from functions.bridge.agents.failures import Failure

DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/agent/x is not authorized to perform: bedrock:InvokeModel"
)
BOTOCORE = f"An error occurred (AccessDeniedException) when calling the ConverseStream operation: {DENIED}"
TRACEBACK = "Traceback (most recent call last):\n  File \"/app/agent.py\", line 3\nKeyError: 'token'"
ERRORS = {
    DENIED: "no name",
    BOTOCORE: "AccessDeniedException",
    f"Error: {BOTOCORE}": "AccessDeniedException",
    f"**Agent error:** {BOTOCORE}": "AccessDeniedException",
    "An error occurred (Slow) (reached max retries: 4) when calling the X operation: no": "Slow",
    TRACEBACK: "no name",
    f"error:\n{TRACEBACK}": "no name",
    "botocore.exceptions.NoCredentialsError: Unable to locate credentials": "NoCredentialsError",
    "Unable to locate credentials": "no name",
    "ValueError: the question was 'who earns most?'": "ValueError",
    "KeyError('token')": "KeyError",
}
ANSWERS = [
    "It is sunny.",
    "Your function failed: " + BOTOCORE,
    "The log says:\n```\n" + TRACEBACK + "\n```",
    "`ValueError: x` means that x is no number.",
    "Errors are part of life.",
    "User: Ann",
]


def whole(item: object) -> list[AgentEvent]:
    translate = RuntimeTranslator()
    heard = list(translate.whole(item))
    return heard if translate.failed else [*heard, *translate.end()]


@pytest.mark.parametrize("member", ["message", "result", "response", "output"])
@pytest.mark.parametrize(("text", "name"), ERRORS.items())
def test_an_error_as_an_answer_is_explained_and_not_shown(member: str, text: str, name: str) -> None:
    for item in ({member: text}, {member: {"content": [{"text": text}]}}, text):
        assert whole(item) == [Failed(Failure.INTERNAL, f"the answer is an error ({name})")]


def test_throttling_as_an_answer_is_told_as_throttling() -> None:
    text = "Error: An error occurred (ThrottlingException) when calling the ConverseStream operation: slow"
    failed = Failed(Failure.THROTTLED_AT_WORK, "the answer is an error (ThrottlingException)")
    assert whole({"result": text}) == [failed]


@pytest.mark.parametrize("text", ERRORS)
@pytest.mark.parametrize("shape", ["string", "data"])
def test_an_error_that_a_stream_ends_in_is_not_shown_either(text: str, shape: str) -> None:
    translate = RuntimeTranslator()
    items: list[object] = ["It is", text] if shape == "string" else [{"data": "It is"}, {"data": text}]
    heard = [event for item in items for event in translate(item)]
    assert heard[0] == TextDelta("It is")
    assert isinstance(heard[1], Failed)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_that_speaks_of_errors_is_an_answer(text: str) -> None:
    assert whole({"message": text}) == [TextDelta(text), Finished()]


@pytest.mark.parametrize("code", ["what did Ann earn", "a" * 100, "x\ny", "was_ä", 7, None])
def test_a_code_that_is_no_name_is_not_logged(code: object) -> None:
    [failed] = AgUiTranslator()({"type": "RUN_ERROR", "message": "secret", "code": code})
    assert failed == Failed(Failure.INTERNAL, "RUN_ERROR (no name)")


def test_a_reason_to_stop_that_is_no_name_is_not_logged() -> None:
    translate = RuntimeTranslator()
    [*translate({"event": {"messageStart": {"role": "assistant"}}})]
    [*translate({"event": {"messageStop": {"stopReason": "max_tokens"}}})]
    [*translate({"event": {"messageStart": {"role": "assistant"}}})]
    [*translate({"event": {"messageStop": {"stopReason": "what did Ann earn"}}})]
    assert "Ann" not in str(list(translate.end()))


# --- other people's loggers ---------------------------------------------------------------------------------

# Every function imports the first of these, and those that have the bot token the second.
QUIET = (aws, slack)


@pytest.fixture
def broken_server() -> Iterator[str]:
    """Answers with a header that urllib3 cannot read, and logs as a warning, with the address."""
    listening = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\nsecret of a header\r\nContent-Length: 0\r\n\r\n"
            )

    server = threading.Thread(target=answer)
    server.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.join()
    listening.close()


def test_no_header_and_no_address_gets_into_the_log(
    broken_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    urllib3.request("GET", f"{broken_server}/upload?permission=secret", retries=False)
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["botocore.credentials", "boto3", "urllib3.connectionpool", "slack_sdk.web"])
def test_libraries_that_quote_what_they_send_log_nothing(name: str) -> None:
    assert not logging.getLogger(name).isEnabledFor(logging.ERROR)
