"""Secrets Manager, asked rarely: a value is kept for minutes, and refreshed on suspicion."""

from collections.abc import Callable
from contextlib import suppress
from threading import RLock

from functions.adapters.aws.json_client import AwsError, JsonClient
from functions.bridge.clock import Clock
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.slack_secrets import MalformedSecret

KEPT_SECONDS = 300.0
REFRESH_SECONDS = 60.0
# While Secrets Manager does not answer. What it does answer counts at once.
LONGEST_KEPT_SECONDS = 900.0


class CachedSecret:
    """A secret's text. It is never logged; errors name the secret, not its value. Threads may share it.

    Args:
        check: raises `MalformedSecret` for a text that must not be used; without it, any text may be.
        refresh_seconds: so often at most it is read again on suspicion.

    Attributes:
        secret_id: its name or ARN.
    """

    def __init__(
        self,
        client: JsonClient,
        secret_id: str,
        clock: Clock,
        *,
        check: Callable[[str], object] = str,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self.secret_id = secret_id
        self._client = client
        self._clock = clock
        self._check = check
        self._refresh_seconds = refresh_seconds
        self._value: str | None = None
        self._trouble = ServiceUnavailable("has not been read")
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = RLock()  # who comes while it is being read waits for it

    def prefetch(self) -> None:
        """Read the secret before anybody needs it. Trouble is left to who does, and is no try."""
        with self._lock, suppress(ServiceUnavailable):
            self._value, self._read_at = self._read(), self._clock.now()

    def value(self) -> str:
        """The secret, at most five minutes old; fifteen while Secrets Manager does not answer.

        Raises:
            MalformedSecret: what is stored there is no such secret.
            ServiceUnavailable: it is gone, empty or not for us, or could not be read for too long.
        """
        with self._lock:
            now = self._clock.now()
            if now - self._read_at >= KEPT_SECONDS:
                self.refresh()
            if self._value is not None and now - self._read_at >= LONGEST_KEPT_SECONDS:
                self._drop()
            if self._value is None:
                raise type(self._trouble)(f"secret {self.secret_id} {self._trouble}")
            return self._value

    def refresh(self) -> bool:
        """Read the secret again, unless that was done a moment ago; say whether it changed.

        A flood of forged requests must be no bill. A secret that is gone, empty, malformed or not for us any
        more is not used from then on.
        """
        with self._lock:
            if self._clock.now() - self._tried_at < self._refresh_seconds:
                return False
            now = self._tried_at = self._clock.now()
            try:
                text = self._read()
            except ServiceUnavailable as exc:
                self._trouble = type(exc)(str(exc))  # without its traceback, whose frames know the value
                if not isinstance(exc, _Passing):
                    self._drop()
                return False
            changed = text != self._value
            self._value, self._read_at = text, now
            return changed

    def _read(self) -> str:
        try:
            answer = self._client.call("GetSecretValue", SecretId=self.secret_id)
        except AwsError as exc:
            kind = _Passing if exc.may_pass else ServiceUnavailable
            raise kind(f"cannot be read: {exc.code}") from exc
        text = str(answer.get("SecretString", "")).strip()
        if not text:
            raise ServiceUnavailable("is empty")
        try:
            self._check(text)
        except MalformedSecret as exc:
            raise MalformedSecret(f"is malformed: {exc}") from exc
        return text

    def _drop(self) -> None:
        self._value, self._read_at = None, float("-inf")


class _Passing(ServiceUnavailable):
    """Secrets Manager's own trouble, which says nothing about the secret."""
