"""What the operator stores beside or instead of the two secrets is never a key, and is named in the log."""

import json
import logging
import re
import secrets
import string
from dataclasses import replace
from typing import Any

import pytest

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.slack.chat import SlackChat
from functions.bridge.slack_secrets import MalformedSecret, bot_token, signing_secrets
from functions.bridge.turns.outcome import Verdict
from simulator.aws import Aws
from tests.functions.bridge.asking import SUNNY, take
from tests.functions.fakes import FakeClock, ScriptedAgent, Stage
from tests.functions.test_receiver import NEW_SECRET, SECRET, Door, request

BODY = json.dumps({"type": "url_verification", "challenge": "abc"})
BOT_TOKEN = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
USER_TOKEN = "xoxp-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
EXAMPLE = "8f742231b10e8888abcd99yyyzzz85a5"  # docs.slack.dev/authentication/verifying-requests-from-slack
PLACEHOLDER = "it holds the example of Slack's documentation or another placeholder"
UNFILLED = "a7|Kq.Z]x0;Gh_w2^Nb!e8Rt{Pm5}Lc("  # as GetRandomPassword makes it


def storing(aws: Aws, text: str) -> Door:
    door = Door(aws)
    aws.secrets.put_secret_value(SecretId=door.secret_id, SecretString=text)
    return door


def outcome_and_reason(
    door: Door, asked: dict[str, Any], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str, str]:
    """The status, the outcome in the metric and the reason in the one log line of a request."""
    caplog.clear()
    capsys.readouterr()
    status = door.knock(asked)["statusCode"]
    [line] = caplog.records
    [metric] = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return status, json.loads(metric)["outcome"], str(vars(line)["reason"])


@pytest.mark.parametrize("key", ["#", "rotated", "2026-11-28", SECRET])
def test_a_note_above_the_secret_makes_the_whole_secret_invalid(
    aws: Aws, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    door = storing(aws, f"# rotated 2026-11-28\n{SECRET}\n")
    asked = request(BODY, secret=key)
    status, outcome, reason = outcome_and_reason(door, asked, caplog, capsys)
    assert (status, outcome) == (500, "secret_malformed")
    assert "is malformed: expected are signing secrets, 32 characters of 0-9 and a-z" in reason
    assert SECRET not in reason
    assert "rotated" not in reason


@pytest.mark.parametrize("key", [EXAMPLE, "0" * 32])
def test_a_placeholder_beside_the_secret_is_no_key(aws: Aws, key: str) -> None:
    assert storing(aws, f"{SECRET}\n{key}\n").knock(request(BODY, secret=key))["statusCode"] == 500


@pytest.mark.parametrize("text", [f"\n{NEW_SECRET}  \n\n{SECRET}\t\r\n", f"{NEW_SECRET}\n{SECRET}"])
@pytest.mark.parametrize("key", [NEW_SECRET, SECRET])
def test_every_line_is_a_key_whatever_the_white_space_around_it(aws: Aws, text: str, key: str) -> None:
    assert storing(aws, text).knock(request(BODY, secret=key))["statusCode"] == 200


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (UNFILLED, "it has not been filled yet, and holds the random text that the stack made"),
        (BOT_TOKEN, "it holds a bot token"),
        (USER_TOKEN, "it holds a user token"),
        (f'"{SECRET}"', "it holds text in quotation marks"),
        (f'{{"SigningSecret": "{SECRET}"}}', "it holds JSON"),
        (f"{SECRET} {NEW_SECRET}", "it holds several words on a line"),
        (SECRET[:-1], "it holds something else"),
        (SECRET.upper(), "it holds something else"),
        (f"{SECRET}\n{SECRET}0", "it holds something else"),
        (EXAMPLE, PLACEHOLDER),
        ("0" * 32, PLACEHOLDER),
        ("x" * 32, PLACEHOLDER),
        ("changeme" * 4, PLACEHOLDER),
    ],
)
def test_no_other_text_is_taken_for_signing_secrets_and_the_log_says_what_is_there(
    aws: Aws, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], text: str, found: str
) -> None:
    door = storing(aws, text)
    status, outcome, reason = outcome_and_reason(door, request(BODY, secret=text), caplog, capsys)
    assert (status, outcome) == (500, "secret_malformed")
    assert reason.endswith(f"on lines of their own; {found}")
    assert text not in reason


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (UNFILLED, "it has not been filled yet, and holds the random text that the stack made"),
        (SECRET, "it holds a signing secret"),
        (USER_TOKEN, "it holds a user token"),
        (f'"{BOT_TOKEN}"', "it holds text in quotation marks"),
        (f'{{"BotToken": "{BOT_TOKEN}"}}', "it holds JSON"),
        ("xapp-1-A1-2-3", "it holds an app-level token"),
        ("xoxe.xoxb-1-abc", "it holds a token of Slack's token rotation, which must stay off"),
        (f"Bearer {BOT_TOKEN}", "it holds several words on a line"),
        (f"{BOT_TOKEN}\r\nX-Header: injected", "it holds several words on a line"),
        (f"{BOT_TOKEN}\n{BOT_TOKEN}", "it holds something else"),
    ],
)
def test_no_other_text_is_taken_for_a_bot_token(aws: Aws, text: str, found: str) -> None:
    name = secrets.token_hex(8)
    aws.secrets.create_secret(Name=name, SecretString=text)
    token = CachedSecret(JsonClient("secretsmanager"), name, FakeClock(), check=bot_token)
    with pytest.raises(MalformedSecret) as caught:
        token.value()
    assert str(caught.value) == f"secret {name} is malformed: expected is a bot token, xoxb-…; {found}"


def test_with_another_bot_token_no_agent_is_asked_and_the_outcome_says_why(aws: Aws) -> None:
    name = secrets.token_hex(8)
    aws.secrets.create_secret(Name=name, SecretString=UNFILLED)
    stage = Stage()
    token = CachedSecret(JsonClient("secretsmanager"), name, stage.clock, check=bot_token)
    stage.ports = replace(stage.ports, chat=SlackChat(token, api_url="http://127.0.0.1:9/"))
    agent = ScriptedAgent(stage.clock, SUNNY)
    outcome = take(stage, agent=agent)
    assert (outcome.verdict, agent.runs) == (Verdict.APP_REFUSED, [])
    assert "is malformed: expected is a bot token, xoxb-…; it has not been filled yet" in outcome.remedy
    assert UNFILLED not in outcome.remedy


def test_a_secret_that_is_mended_works_within_a_minute(aws: Aws) -> None:
    door = storing(aws, f"# rotated 2026-11-28\n{SECRET}")
    assert door.knock(request(BODY))["statusCode"] == 500
    aws.secrets.put_secret_value(SecretId=door.secret_id, SecretString=SECRET)
    door.clock.sleep(60)
    assert door.knock(request(BODY, at=door.clock.now()))["statusCode"] == 200


def test_what_the_stack_stores_at_first_is_recognised_and_opens_nothing() -> None:
    """Text as the stack's GenerateSecretString makes it, a thousand times."""
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, string.punctuation)
    for _ in range(1000):
        characters = [*map(secrets.choice, kinds), *(secrets.choice("".join(kinds)) for _ in range(28))]
        secrets.SystemRandom().shuffle(characters)
        for check in (signing_secrets, bot_token):
            with pytest.raises(MalformedSecret, match="not been filled"):
                check("".join(characters))


def test_no_value_reaches_the_log(aws: Aws, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    door = storing(aws, f"{SECRET} {BOT_TOKEN}")
    door.knock(request(BODY))
    ours = [record for record in caplog.records if not re.match("botocore|urllib3|boto3", record.name)]
    assert ours
    assert not re.search(f"{SECRET}|{BOT_TOKEN}", str([vars(record) for record in ours]))
