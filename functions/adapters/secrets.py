"""Secrets Manager, asked rarely: a value is kept for minutes, and refreshed on suspicion."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.bridge.clock import Clock
from functions.bridge.errors import ServiceUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT_SECONDS = 300.0
REFRESH_SECONDS = 60.0


class CachedSecret:
    """A secret's text. It is never logged; errors name the secret, not its value."""

    def __init__(self, client: "SecretsManagerClient", secret_id: str, clock: Clock) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._value: str | None = None
        self._read_at = float("-inf")
        self._tried_at = float("-inf")

    def value(self) -> str:
        """The secret, at most five minutes old, or older while Secrets Manager is out of reach.

        Raises:
            ServiceUnavailable: it could not be read even once.
        """
        if self._clock.now() - self._read_at >= KEPT_SECONDS:
            self.refresh()
        if self._value is None:
            raise ServiceUnavailable(f"secret {self._secret_id} cannot be read or is empty")
        return self._value

    def may_refresh(self) -> bool:
        """Whether a minute has passed since the last try: a flood of forged requests must be no bill."""
        return self._clock.now() - self._tried_at >= REFRESH_SECONDS

    def is_current(self) -> bool:
        """Whether the last try succeeded; else there may be another value by now."""
        return self._read_at == self._tried_at

    def refresh(self) -> bool:
        """Read the secret again, unless that was done within the last minute; say whether it changed."""
        if not self.may_refresh():
            return False
        now = self._tried_at = self._clock.now()
        try:
            text = self._client.get_secret_value(SecretId=self._secret_id)["SecretString"].strip()
        except (ClientError, BotoCoreError, KeyError):
            return False
        if not text:
            return False
        changed = text != self._value
        self._value, self._read_at = text, now
        return changed
