"""The Slack app as it is installed in one workspace: its token, and what the bridge does with it."""

from contextlib import suppress

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.slack.chat import SlackChat
from functions.adapters.slack.files import SlackFiles
from functions.bridge.clock import Clock
from functions.bridge.replies.chat import ChatError
from functions.bridge.slack_secrets import bot_token
from functions.environment import ConsumerSettings

# So often at most the token is read again when Slack refuses it, in seconds. Only Slack can bring that about.
TOKEN_REFRESH_SECONDS = 10.0


class Installation:
    """Made once per execution environment.

    Attributes:
        chat: the thread of whatever turn comes.
        files: those that people attach.
    """

    def __init__(self, settings: ConsumerSettings, clock: Clock) -> None:
        self._token = CachedSecret(
            JsonClient("secretsmanager"),
            settings.bot_token_secret_id,
            clock,
            check=bot_token,
            refresh_seconds=TOKEN_REFRESH_SECONDS,
        )
        self.chat = SlackChat(self._token, api_url=settings.slack_api_url)
        self.files = SlackFiles(self._token, origin=settings.files_origin)

    def warm(self) -> None:
        """Read the token, and let Slack say who the bot is. Whoever needs that after a failure asks again."""
        self._token.prefetch()
        with suppress(ChatError):
            self.chat.identity()
