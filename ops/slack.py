"""Slack's Web API as the operator's command calls it."""

import os
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from ops.command import OpsError

APPS = "https://api.slack.com/apps"

_REMEDIES = {
    "account_inactive": "the app was uninstalled, or its token revoked; install it again",
    "invalid_auth": "Slack does not know this token; copy it again",
    "invalid_refresh_token": "it was used already, or has expired; generate a new one at " + APPS,
    "invalid_app_id": "the app does not exist, or is somebody else's; name it with --app-id",
    "not_allowed_token_type": "this is another kind of token",
    "ratelimited": "once a minute is allowed; wait, and try again",
    "token_expired": "it lives for 12 hours; generate a new one at " + APPS,
    "token_revoked": "install the app again, and copy the new token",
    "url_verification_failed": "the bridge does not answer Slack; see its log",
}


class SlackRefused(OpsError):
    """Slack answered with an error. `error`: Slack's name for it."""

    def __init__(self, method: str, error: str, detail: str = "") -> None:
        self.error = error
        remedy = _REMEDIES.get(error, "")
        super().__init__(
            f"Slack refused {method}: {error}" + "".join(f"; {one}" for one in (remedy, detail) if one)
        )


def call(method: str, token: str = "", **arguments: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The answer's body, and its headers with names in small letters.

    Raises:
        SlackRefused: Slack said no.
        OpsError: Slack did not answer.
    """
    client = WebClient(token or None, base_url=os.environ.get("SLACK_API_URL", WebClient.BASE_URL))
    try:
        answer = client.api_call(method, params=arguments)
    except SlackApiError as error:
        body = error.response.data if isinstance(error.response.data, dict) else {}
        raise SlackRefused(
            method, str(body.get("error", error.response.status_code)), _problems(body)
        ) from None
    except (OSError, SlackClientError) as error:
        raise OpsError(f"Slack does not answer {method}: {error}") from error
    assert isinstance(answer.data, dict)
    return answer.data, {name.lower(): value for name, value in answer.headers.items()}


def _problems(body: dict[str, Any]) -> str:
    """What is wrong with a manifest, each with its place."""
    errors = [one for one in body.get("errors", []) if isinstance(one, dict)]
    return "; ".join(f"{one.get('pointer', '/')}: {one.get('message', '')}" for one in errors)
