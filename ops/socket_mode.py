"""Passes what Slack sends over Socket Mode on to the receiver, as signed HTTP requests.

So the receiver is asked as it is when Slack sends over HTTP, and what it does not accept is not acknowledged.
docs.slack.dev/apis/events-api/using-socket-mode
"""

import json
import os
from collections.abc import Callable
from urllib.parse import urlencode

import urllib3
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from ops.command import OpsError
from ops.slack import SlackRefused
from ops.verification import signed

# Slack waits three seconds for the acknowledgement.
ANSWER_SECONDS = 2.9


class Forwarder:
    """Call `start` and `stop`. Where Slack renews the connection, the client opens the next one first.

    Args:
        tell: is told what happens, in words.

    Attributes:
        acknowledged: how many envelopes were.
    """

    def __init__(
        self,
        app_token: str,
        *,
        events_url: str,
        interactivity_url: str,
        signing_secret: str,
        tell: Callable[[str], None],
    ) -> None:
        self.acknowledged = 0
        self._events_url = events_url
        self._interactivity_url = interactivity_url
        self._signing_secret = signing_secret
        self._tell = tell
        self._http = urllib3.PoolManager(retries=False)
        web_client = WebClient(base_url=os.environ.get("SLACK_API_URL", WebClient.BASE_URL))
        self._client = SocketModeClient(app_token, web_client=web_client)
        self._client.socket_mode_request_listeners.append(self._pass_on)

    def start(self) -> None:
        """Raises SlackRefused where Slack does not accept the token, OpsError where it does not answer."""
        try:
            self._client.connect()
        except SlackApiError as error:
            raise SlackRefused("apps.connections.open", str(error.response["error"])) from None
        except OSError as error:
            raise OpsError(f"Slack does not answer apps.connections.open: {error}") from error

    def stop(self) -> None:
        self._client.close()
        self._http.clear()

    def _pass_on(self, client: BaseSocketModeClient, asked: SocketModeRequest) -> None:
        url, body, headers = self._request(asked)
        what = f"{asked.type} {asked.payload.get('event', asked.payload).get('type', '')}"
        try:
            answer = self._http.request("POST", url, body=body, headers=headers, timeout=ANSWER_SECONDS)
            problem = "" if answer.status == 200 else f"HTTP {answer.status}"
        except urllib3.exceptions.HTTPError as error:
            problem = type(error).__name__
        if problem:
            self._tell(f"{what}: not acknowledged, as the receiver did not accept it ({problem})")
            return
        client.send_socket_mode_response({"envelope_id": asked.envelope_id})
        self.acknowledged += 1
        self._tell(f"{what}: acknowledged")

    def _request(self, asked: SocketModeRequest) -> tuple[str, bytes, dict[str, str]]:
        """The request that Slack would have sent over HTTP."""
        if asked.type == "events_api":
            url, content_type = self._events_url, "application/json"
            body = json.dumps(asked.payload).encode()
        else:
            url, content_type = self._interactivity_url, "application/x-www-form-urlencoded"
            body = urlencode({"payload": json.dumps(asked.payload)}).encode()
        headers = {"Content-Type": content_type, **signed(body, self._signing_secret)}
        if asked.retry_attempt:
            retry = {"Num": str(asked.retry_attempt), "Reason": asked.retry_reason or ""}
            headers |= {f"X-Slack-Retry-{name}": value for name, value in retry.items()}
        return url, body, headers
