"""Slack's Web API, for one turn's thread. See `functions.bridge.chat.Chat`.

slack_sdk repeats nothing here (its default re-posts after a lost connection); the bridge decides what may be
repeated. Slack's errors: docs.slack.dev/reference/methods/chat.postMessage and its siblings.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from functions.adapters.secrets import CachedSecret
from functions.bridge.chat import ChatRateLimited, ChatRefused, ChatUnavailable, Part
from functions.bridge.markdown import plain
from functions.bridge.turn import Turn

METADATA_EVENT = "agent_bridge_reply"
TIMEOUT_SECONDS = 10

# Slack's own trouble under HTTP 200: the call may succeed another time.
_PASSING = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
# The token in hand is not accepted: it may have been replaced in the meantime.
_TOKEN_REFUSED = {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"}
# Seconds, for a 429 without the header that docs.slack.dev/apis/web-api/rate-limits promises.
_DEFAULT_RETRY_AFTER = "30"


class SlackChat:
    """Posts, edits and finds the messages of a reply."""

    def __init__(self, token: CachedSecret, *, api_url: str) -> None:
        self._token = token
        self._client = WebClient(base_url=api_url, timeout=TIMEOUT_SECONDS, retry_handlers=[])

    def post(self, part: Part) -> str:
        response = self._call(
            self._client.chat_postMessage,
            channel=part.turn.channel,
            thread_ts=part.turn.thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            **_content(part),
        )
        return str(response["ts"])

    def edit(self, ts: str, part: Part) -> None:
        self._call(self._client.chat_update, channel=part.turn.channel, ts=ts, **_content(part))

    def find(self, turn: Turn) -> dict[int, str]:
        found = {}
        for message in self._replies(turn):
            metadata = message.get("metadata", {})
            payload = metadata.get("event_payload", {})
            if metadata.get("event_type") == METADATA_EVENT and payload.get("turn_id") == turn.turn_id:
                # A later attempt takes over the messages of the one before it.
                found[int(payload["part"])] = str(message["ts"])
        return found

    def _replies(self, turn: Turn) -> Iterator[dict[str, Any]]:
        """The messages of the thread from the turn's own on, oldest first."""
        cursor = ""
        while True:
            response = self._call(
                self._client.conversations_replies,
                channel=turn.channel,
                ts=turn.thread_ts,
                oldest=turn.ts,
                inclusive=True,
                include_all_metadata=True,
                limit=200,
                cursor=cursor,
            )
            yield from response["messages"]
            cursor = (response.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def _call(self, method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
        """Call a method with the token in force; once more if a refused token has been replaced."""
        try:
            with _translated():
                return method(token=self._token.value(), **arguments)
        except ChatRefused as exc:
            if exc.code not in _TOKEN_REFUSED or not self._token.refresh():
                raise
        with _translated():
            return method(token=self._token.value(), **arguments)


def _content(part: Part) -> dict[str, Any]:
    return {
        # What notifications and screen readers say; the blocks are what is shown.
        "text": plain(part.markdown),
        "blocks": [{"type": "markdown", "text": part.markdown}],
        "metadata": {
            "event_type": METADATA_EVENT,
            "event_payload": {
                "turn_id": part.turn.turn_id,
                "attempt": part.turn.attempt,
                "part": part.number,
            },
        },
    }


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SlackApiError as exc:
        raise _refusal(exc) from exc
    except (SlackClientError, OSError) as exc:
        # Among them what slack_sdk raises for an answer that is not JSON (a proxy's error page).
        raise ChatUnavailable(type(exc).__name__) from exc


def _refusal(exc: SlackApiError) -> Exception:
    response = exc.response
    status = getattr(response, "status_code", 200)
    headers = {name.lower(): value for name, value in getattr(response, "headers", {}).items()}
    code = str(response.get("error", "unknown"))
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return ChatRateLimited(float(headers.get("retry-after", _DEFAULT_RETRY_AFTER)))
    if status >= 500 or code in _PASSING:
        return ChatUnavailable(f"{status} {code}")
    return ChatRefused(code)
