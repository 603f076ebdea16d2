"""The card with which an agent asks before it acts, and the line that it becomes.

What an agent asks for is untrusted: it is shown as plain text, and signs that nobody would see are shown by
their numbers. Nothing is left out but what a secret is called by.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from functions.bridge import wording
from functions.bridge.agents.events import ToolRequest
from functions.bridge.ledger.pauses import Decision, Pause
from functions.bridge.queue_commands import LONGEST_REASON
from functions.bridge.replies.buttons import APPROVE, DENY, STOP, Button, decide_value, stop_value
from functions.bridge.replies.chat import Message, TextInput
from functions.bridge.turn import Turn

# Characters and blocks that a card shows. Slack refuses a message with some 13,200 characters in all, and one
# with more than 50 blocks, of which the text, the input and the buttons need a few.
MOST_CHARACTERS = 10_000
MOST_DETAILS = 40
# Characters of one block of plain text, of which Slack takes 3,000.
_BLOCK = 2_900
# Arguments whose names say that nobody should read them.
_SECRET = re.compile(
    r"secret|pass(w|phrase)|pwd|token|(api|access|private|signing)[_ -]?key"
    r"|credential|authorization|bearer|cookie",
    re.I,
)
_MASK = "••••••"
# Lists and objects in one another. People do not read what is nested deeper.
_DEEPEST = 50
# Stands where a line of the card does not begin an argument: no text of one looks like another one.
_GOES_ON = "| "
# Signs without any ink that Unicode counts among letters, marks and spaces, such as variation selectors:
# "Default_Ignorable_Code_Point" in unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt, both
# separators of lines, and the empty sign of Braille.
_NO_INK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


class _Unreadable(Exception):
    """Nobody could read all of the arguments: they are nested too deeply, or have a name twice."""


class _NameTwice(Exception):
    """An object of a text has two members with one name."""


def details(requests: tuple[ToolRequest, ...]) -> list[str]:
    """What stands under the card's text: for each request its arguments, in blocks of plain text.

    Raises `_Unreadable`.
    """
    blocks: list[str] = []
    for request in requests:
        text = _visible("\n".join(_lines(request)))
        heading = f"{wording.tool_name(request.name)}\n" if len(requests) > 1 else ""
        blocks += [block for block in _blocks(heading + text) if block]
    return blocks


def can_be_shown(pause: Pause) -> bool:
    """Whether a person can read all that is asked for: else nobody is asked to approve it."""
    try:
        shown = details(pause.requests)
    except _Unreadable:
        return False
    characters = len(wording.asks_for(pause)) + sum(map(len, shown))
    return characters <= MOST_CHARACTERS and len(shown) <= MOST_DETAILS


def asking(turn: Turn, number: int, pause: Pause) -> Message:
    """The card of a pause as the message with this number."""
    value = decide_value(turn, pause.id)
    return Message(
        turn,
        number,
        wording.asks_for(pause),
        (
            Button(wording.APPROVE_BUTTON, APPROVE, value, style="primary"),
            Button(wording.DENY_BUTTON, DENY, value, style="danger"),
            Button(wording.STOP_BUTTON, STOP, stop_value(turn)),
        ),
        details=tuple(details(pause.requests)),
        text_input=TextInput("reason", wording.REASON_LABEL, LONGEST_REASON),
        is_notice=True,
    )


def decided(turn: Turn, number: int, pause: Pause, decision: Decision) -> Message:
    """What a card becomes: what was asked for, who decided, and when."""
    return Message(turn, number, wording.decided(pause, decision), is_notice=True)


def _lines(request: ToolRequest) -> Iterator[str]:
    try:
        arguments = json.loads(request.arguments or "{}")
    except ValueError:
        arguments = request.arguments
    except RecursionError as exc:
        raise _Unreadable from exc
    shown = _masked("", arguments)
    if not isinstance(shown, dict):
        yield _going_on(shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False))
        return
    for name, value in shown.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        yield _going_on(f"{name}: {text}")


def _going_on(text: str) -> str:
    return text.replace("\n", f"\n{_GOES_ON}")


def _masked(name: str, value: Any, deepest: int = _DEEPEST) -> Any:
    """The value of an argument without what is called a secret, however deep. Raises `_Unreadable`."""
    if not deepest:
        raise _Unreadable
    if _SECRET.search(name) and not isinstance(value, bool) and value not in (None, ""):
        return _MASK
    if isinstance(value, Mapping):
        return {inner: _masked(_called(inner, value), one, deepest - 1) for inner, one in value.items()}
    if isinstance(value, list):
        return [_masked("", one, deepest - 1) for one in value]
    return _masked_json(value, deepest - 1) if isinstance(value, str) else value


def _called(name: str, within: Mapping[str, Any]) -> str:
    """The name of a member. That of "value" stands in the object itself: {"name": "Cookie", "value": "…"}."""
    if name.lower() != "value":
        return name
    names = (one for other, one in within.items() if other.lower() in ("name", "key"))
    return next((one for one in names if isinstance(one, str)), name)


def _masked_json(text: str, deepest: int) -> str:
    """A text, in which secrets are masked if it is JSON: Bedrock hands over every argument as a text."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        value = json.loads(text, object_pairs_hook=_object)
    except ValueError:
        return text
    except RecursionError as exc:
        raise _Unreadable from exc
    except _NameTwice as exc:
        if _SECRET.search(text):  # masked, it would have the last one only, and others may read the first
            raise _Unreadable from exc
        return text
    masked = _masked("", value, deepest)
    return text if masked == value else json.dumps(masked, ensure_ascii=False)


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(members)
    if len(value) < len(members):
        raise _NameTwice
    return value


def _visible(text: str) -> str:
    """The text with the numbers of signs that nobody sees, such as those that turn the direction around."""
    return "".join(sign if _is_seen(sign) else f"\\u{ord(sign):04x}" for sign in text)


def _is_seen(sign: str) -> bool:
    return sign in "\n\t" or not (unicodedata.category(sign)[0] == "C" or _NO_INK.match(sign))


def _blocks(text: str) -> Iterator[str]:
    """The text in pieces that fit into a block, cut between lines where there are any."""
    while len(text) > _BLOCK:
        at = text.rfind("\n", _BLOCK // 2, _BLOCK)
        if at > 0:
            yield text[:at]
            text = text[at + 1 :]
        else:
            yield text[:_BLOCK]
            text = _GOES_ON + text[_BLOCK:]
    yield text
