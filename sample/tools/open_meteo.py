"""Calls of Open-Meteo, a weather service that asks for no key (open-meteo.com/en/docs)."""

import http.client
import json
import logging
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, TypeVar

from sample.tools.failures import InvalidArguments, ServiceUnavailable

# Seconds for a whole call. The functions' timeout is 15, which leaves time to report a failure.
TIMEOUT = 8.0
# Bytes. The largest forecast has about 100 KB.
MAX_BYTES = 2_000_000
PIECE = 65_536

T = TypeVar("T")

logger = logging.getLogger(__name__)


def get(
    url: str,
    query: Mapping[str, str | int | float],
    read: Callable[[Any], T],
    *,
    timeout: float = TIMEOUT,
) -> T:
    """The result of `read` for the JSON that the service returns within `timeout` seconds.

    Raises:
        InvalidArguments: the service refused the query, and says why.
        ServiceUnavailable: it cannot be reached, is too slow or fails, or `read` cannot read its answer.
    """
    try:
        return read(json.loads(_within(timeout, lambda: _body(_joined(url, query), timeout))))
    except _Refused as refusal:
        _log(f"answered {refusal.code}", refusal)
        raise refusal.in_words() from None
    except (TimeoutError, OSError, http.client.HTTPException) as error:
        slow = isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)
        _log("too slow" if slow else "out of reach", error)
        raise _unavailable("did not answer in time" if slow else "is out of reach") from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        _log("answer not understood", error)
        raise _unavailable("gave an answer that makes no sense") from None


class _Refused(Exception):
    """A response with an error status: `code`, and the beginning of its body."""

    def __init__(self, code: int, body: bytes) -> None:
        super().__init__(code)
        self.code = code
        self._body = body

    def in_words(self) -> InvalidArguments | ServiceUnavailable:
        if self.code == 400:
            return InvalidArguments(f"The weather service refuses this: {self._reason()}")
        if self.code == 429:
            return _unavailable("has had too many questions for now")
        return _unavailable("is out of order")

    def _reason(self) -> str:
        """The service's own words, which are meant for whoever calls it: `{"error": true, "reason": "…"}`."""
        try:
            reason = json.loads(self._body)["reason"]
        except (ValueError, KeyError, TypeError):
            return "it does not say why."
        return str(reason)[:200]


def _joined(url: str, query: Mapping[str, str | int | float]) -> str:
    """The address of the query; `url` may have a query already, such as the key of a paying customer."""
    return f"{url}{'&' if '?' in url else '?'}{urllib.parse.urlencode(query)}"


def _within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns. Raises TimeoutError after `seconds`; the work then goes on in its thread.

    A socket's timeout counts for each read and not for the DNS lookup, so a service that sends one byte every
    other second could take minutes.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised again where somebody waits
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome.result(seconds)


def _body(url: str, timeout: float) -> bytes:
    """The response's body. Raises TimeoutError when it comes too slowly, ValueError when it is too large."""
    deadline = time.monotonic() + timeout
    request = urllib.request.Request(
        url, headers={"Accept": "application/json", "User-Agent": "slack-agent-bridge-sample"}
    )
    body = b""
    try:
        # The address is the configuration's, which takes no other scheme than https.
        with urllib.request.urlopen(request, timeout=timeout) as response:  # nosec B310
            while piece := response.read1(PIECE):
                body += piece
                if len(body) > MAX_BYTES:
                    raise ValueError("too long")
                if time.monotonic() > deadline:
                    raise TimeoutError
    except urllib.error.HTTPError as error:
        with error:
            raise _Refused(error.code, _beginning(error)) from None
    return body


def _beginning(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(PIECE)
    except (OSError, http.client.HTTPException):
        return b""


def _unavailable(what: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"The weather service {what}. Do not guess: tell the user, and suggest to try again in some minutes."
    )


def _log(what: str, error: Exception) -> None:
    """Log a failure without the query and the exception's text, which tell what somebody asked about."""
    logger.warning("Open-Meteo: %s (%s)", what, type(error).__name__)
