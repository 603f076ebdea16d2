"""Calls of Open-Meteo, a weather service that asks for no key (open-meteo.com/en/docs)."""

import http.client
import json
import logging
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from functions.tools.failures import InvalidArguments, ServiceUnavailable

# Seconds for one call. The functions themselves may take 15, so that there is time to say what happened.
TIMEOUT = 8.0
# Far above the largest forecast that we ask for, which has some 100 KB.
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
    """What `read` makes of the JSON that the service answers within `timeout` seconds.

    Raises:
        InvalidArguments: the service refused the query, and says why.
        ServiceUnavailable: it is out of reach, too slow or out of order, or `read` could not make sense of
            what it said.
    """
    request = urllib.request.Request(
        f"{url}?{urllib.parse.urlencode(query)}",
        headers={"Accept": "application/json", "User-Agent": "slack-agent-bridge-sample"},
    )
    try:
        return read(json.loads(_body(request, timeout)))
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error) from None
    except (TimeoutError, OSError, http.client.HTTPException) as error:
        slow = isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)
        _log("too slow" if slow else "out of reach", error)
        raise _unavailable("did not answer in time" if slow else "is out of reach") from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        _log("answer not understood", error)
        raise _unavailable("gave an answer that makes no sense") from None


def _body(request: urllib.request.Request, timeout: float) -> bytes:
    """The answer's body. Raises TimeoutError also when it only trickles in, ValueError when it never ends."""
    deadline = time.monotonic() + timeout
    body = b""
    with urllib.request.urlopen(request, timeout=timeout) as response:
        while piece := response.read1(PIECE):
            body += piece
            if len(body) > MAX_BYTES:
                raise ValueError("too long")
            if time.monotonic() > deadline:
                raise TimeoutError
    return body


def _refusal(error: urllib.error.HTTPError) -> InvalidArguments | ServiceUnavailable:
    _log(f"answered {error.code}", error)
    if error.code == 400:
        return InvalidArguments(f"The weather service refuses this: {_reason(error)}")
    if error.code == 429:
        return _unavailable("has had too many questions for now")
    return _unavailable("is out of order")


def _reason(error: urllib.error.HTTPError) -> str:
    """The service's own words, which are meant for whoever calls it: `{"error": true, "reason": "…"}`."""
    try:
        reason = json.loads(error.read(PIECE))["reason"]
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return "it does not say why."
    return str(reason)[:200]


def _unavailable(what: str) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"The weather service {what}. Do not guess: tell the user, and suggest to try again in some minutes."
    )


def _log(what: str, error: Exception) -> None:
    """For the operator. Neither the query nor the exception's text: they tell what somebody asked about."""
    logger.warning("Open-Meteo: %s (%s)", what, type(error).__name__)
