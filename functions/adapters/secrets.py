"""Secrets Manager, asked rarely: a value is kept for minutes, and refreshed on suspicion."""

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from functions.bridge.clock import Clock
from functions.bridge.errors import ServiceUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

KEPT_SECONDS = 300.0
REFRESH_SECONDS = 60.0
# While Secrets Manager does not answer. What it does answer counts at once.
LONGEST_KEPT_SECONDS = 900.0

# Like answers of 500 and up: its own trouble, which says nothing about the secret.
# docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
_PASSING = frozenset({"RequestThrottled", "Throttling", "ThrottlingException", "TooManyRequestsException"})


class CachedSecret:
    """A secret's text. It is never logged; errors name the secret, not its value."""

    def __init__(self, client: "SecretsManagerClient", secret_id: str, clock: Clock) -> None:
        self._client = client
        self._secret_id = secret_id
        self._clock = clock
        self._value: str | None = None
        self._why = "has not been read"
        self._read_at = float("-inf")
        self._tried_at = float("-inf")

    def value(self) -> str:
        """The secret, at most five minutes old; fifteen while Secrets Manager does not answer.

        Raises:
            ServiceUnavailable: there is none: it is gone, empty, not for us, or could not be read for too long.
        """
        now = self._clock.now()
        if now - self._read_at >= KEPT_SECONDS:
            self.refresh()
        if self._value is not None and now - self._read_at >= LONGEST_KEPT_SECONDS:
            self._drop(self._why)
        if self._value is None:
            raise ServiceUnavailable(f"secret {self._secret_id} {self._why}")
        return self._value

    def may_refresh(self) -> bool:
        """Whether a minute has passed since the last try: a flood of forged requests must be no bill."""
        return self._clock.now() - self._tried_at >= REFRESH_SECONDS

    def is_current(self) -> bool:
        """Whether the last try succeeded; else there may be another value by now."""
        return self._read_at == self._tried_at

    def refresh(self) -> bool:
        """Read the secret again, unless that was done within the last minute; say whether it changed.

        A secret that is gone, empty or not for us any more is not used from then on.
        """
        if not self.may_refresh():
            return False
        now = self._tried_at = self._clock.now()
        try:
            text = self._client.get_secret_value(SecretId=self._secret_id).get("SecretString", "").strip()
        except BotoCoreError as exc:
            self._why = f"cannot be read: {type(exc).__name__}"
            return False
        except ClientError as exc:
            code = exc.response.get("Error", {}).get("Code", "")
            self._why = f"cannot be read: {code}"
            if not _is_passing(exc):
                self._drop(self._why)
            return False
        if not text:
            self._drop("is empty")
            return False
        changed = text != self._value
        self._value, self._read_at = text, now
        return changed

    def _drop(self, why: str) -> None:
        self._value, self._why, self._read_at = None, why, float("-inf")


def _is_passing(exc: ClientError) -> bool:
    status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or exc.response.get("Error", {}).get("Code") in _PASSING
