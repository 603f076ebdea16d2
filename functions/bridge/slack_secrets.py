"""Checks the format of the Slack app's two secrets, and recognises what people store by mistake.

Signing secrets are 32 characters of `0-9a-z`: Slack issues hexadecimal ones, but the example in its
documentation has other letters (docs.slack.dev/authentication/verifying-requests-from-slack).
Tokens: docs.slack.dev/authentication/tokens.
"""

import re

from functions.bridge.errors import ServiceUnavailable

_SIGNING_SECRET = re.compile("[0-9a-z]{32}")
# In that documentation: whoever stores it to begin with lets anybody sign.
_EXAMPLE = "8f742231b10e8888abcd99yyyzzz85a5"
# Of 32 characters by chance some 14 differ; of what people type until they have the secret, one or two.
_FEWEST_DIFFERENT = 8
_BOT_TOKEN = re.compile("xoxb-[0-9A-Za-z-]+")
# The random text with which the stack creates a secret (infra/slack_secrets.py): 32 characters, at least one
# of each kind. docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html
_UNFILLED = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])(?=.*[^A-Za-z0-9])[!-~]{32}")
_MISTAKES = (
    (_BOT_TOKEN, "a bot token"),
    (re.compile("xoxp-.*"), "a user token"),
    (re.compile("xapp-.*"), "an app-level token"),
    (re.compile("xoxe.*"), "a token of Slack's token rotation, which must stay off"),
    (re.compile("[{[].*", re.DOTALL), "JSON"),
    (re.compile("[\"'`“].*", re.DOTALL), "text in quotation marks"),
    (re.compile(r".*\S[^\S\n]+\S.*", re.DOTALL), "several words on a line"),
    (re.compile(r"([0-9a-z]{32}\s*)+"), "a signing secret"),
)


class MalformedSecret(ServiceUnavailable):
    """A stored secret has the wrong format. The text says what is expected and found, never the value."""


def signing_secrets(text: str) -> tuple[str, ...]:
    """The signing secrets in force, one per line. Blank lines and white space around them are ignored.

    Any other line, and a placeholder, makes the whole text invalid: as a key, it could be guessed.

    Raises:
        MalformedSecret: a line is no signing secret, or there is none.
    """
    lines = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not lines or not all(map(_SIGNING_SECRET.fullmatch, lines)) or any(map(_is_placeholder, lines)):
        expected = "expected are signing secrets, 32 characters of 0-9 and a-z each, on lines of their own"
        raise MalformedSecret(f"{expected}; {_found(text)}")
    return lines


def bot_token(text: str) -> str:
    """The bot token without the white space around it. Raises MalformedSecret if it is no bot token."""
    token = text.strip()
    if not _BOT_TOKEN.fullmatch(token):
        raise MalformedSecret(f"expected is a bot token, xoxb-…; {_found(token)}")
    return token


def _is_placeholder(line: str) -> bool:
    return line == _EXAMPLE or len({*line}) < _FEWEST_DIFFERENT


def _found(text: str) -> str:
    """Describes, in fixed words, what is stored instead."""
    text = text.strip()
    if any(_SIGNING_SECRET.fullmatch(line) and _is_placeholder(line) for line in text.split()):
        return "it holds the example of Slack's documentation or another placeholder"
    if _UNFILLED.fullmatch(text):
        return "it has not been filled yet, and holds the random text that the stack made"
    what = next((what for shape, what in _MISTAKES if shape.fullmatch(text)), "something else")
    return f"it holds {what}"
