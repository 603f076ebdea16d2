"""slack_sdk's client, over connections that are kept.

slack_sdk opens a connection for each call, and parses all certificate authorities for it: three round trips
and 20 ms of a whole processor. An answer that grows takes twenty calls.
"""

import ssl
import time
from threading import Lock
from typing import Any
from urllib.request import Request

import urllib3
from slack_sdk import WebClient
from urllib3.util import Timeout

# After so long nobody on the way may know of a connection any more, and what is sent is lost without a word.
IDLE_SECONDS = 30.0


class Connections:
    """Connections to Slack, which threads share. One that Slack has closed is not used again."""

    def __init__(self) -> None:
        # None of these may be repeated: nobody knows whether the first one had arrived.
        self._pool = urllib3.PoolManager(ssl_context=ssl.create_default_context(), retries=False)
        self._used_at = time.monotonic()
        self._lock = Lock()

    def send(self, request: Request, *, timeout: float) -> urllib3.BaseHTTPResponse:
        """The answer to a request, whatever its status. Raises `urllib3.exceptions.HTTPError`."""
        with self._lock:
            if time.monotonic() - self._used_at > IDLE_SECONDS:
                self._pool.clear()
            self._used_at = time.monotonic()
        data = request.data
        assert data is None or isinstance(data, bytes)
        return self._pool.request(
            request.get_method(),
            request.full_url,
            body=data,
            headers={name: str(value) for name, value in request.header_items()},
            timeout=Timeout(timeout),
            redirect=False,
        )


class KeptWebClient(WebClient):
    """A client that sends its requests over `connections`, unless the environment names a proxy."""

    def __init__(self, connections: Connections, *, base_url: str, timeout: int) -> None:
        super().__init__(base_url=base_url, timeout=timeout, retry_handlers=[])
        self._connections = connections

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        """The one place where slack_sdk sends; it takes an answer with an error's status as well."""
        if self.proxy is not None:
            return super()._perform_urllib_http_request_internal(url, req)
        answer = self._connections.send(req, timeout=self.timeout)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return {"status": answer.status, "headers": headers, "body": answer.data.decode()}
