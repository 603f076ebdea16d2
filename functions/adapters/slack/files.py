"""Files of users' messages, fetched from Slack. See `functions.bridge.agents.attachments.Attachments`.

docs.slack.dev/reference/objects/file-object: `url_private`, with the bot token as the bearer.
"""

import time
from urllib.parse import urlsplit

import urllib3

from functions.adapters.aws.secrets import CachedSecret
from functions.bridge.agents.attachments import MOST_BYTES, AttachmentUnavailable
from functions.bridge.errors import ServiceUnavailable
from functions.bridge.turn import Attachment

# Of silence.
TIMEOUT_SECONDS = 10.0
# Of a whole file: the lease on the turn, 60 seconds, is not renewed meanwhile.
LONGEST_FETCH_SECONDS = 25.0
# Bytes that are read at most at once.
READ_BYTES = 65_536


class SlackFiles:
    """Sends the token to `origin` (scheme, host and port) and to nobody else."""

    def __init__(
        self, token: CachedSecret, *, origin: str, longest_fetch: float = LONGEST_FETCH_SECONDS
    ) -> None:
        self._token = token
        self._origin = urlsplit(origin)
        self._longest_fetch = longest_fetch
        self._http = urllib3.PoolManager(timeout=TIMEOUT_SECONDS, retries=False)

    def fetch(self, attachment: Attachment) -> bytes:
        if not self._is_slacks(attachment.url):
            raise AttachmentUnavailable("the file is at another address than Slack's")
        try:
            # A redirect would take the token elsewhere; a connection that was kept while the environment was
            # frozen may be dead.
            answer = self._http.request(
                "GET",
                attachment.url,
                headers={"Authorization": f"Bearer {self._token.value()}", "Connection": "close"},
                redirect=False,
                preload_content=False,
            )
            try:
                data = self._read(answer)
            finally:
                answer.close()
        except (urllib3.exceptions.HTTPError, ServiceUnavailable) as exc:
            raise AttachmentUnavailable(f"Slack did not answer: {type(exc).__name__}") from exc
        if answer.status != 200:
            # 302 leads to a login page: the app lacks files:read, or may not see the file.
            raise AttachmentUnavailable(f"Slack answered HTTP {answer.status}")
        if len(data) > MOST_BYTES:
            raise AttachmentUnavailable("the file is larger than Slack said")
        if not data:
            raise AttachmentUnavailable("the file is empty")
        return data

    def _read(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        """As much of the file as may be, and a byte more if there is one."""
        until = time.monotonic() + self._longest_fetch
        data = bytearray()
        while len(data) <= MOST_BYTES and (piece := answer.read1(READ_BYTES)):
            data += piece
            if time.monotonic() > until:
                raise AttachmentUnavailable(f"the file took longer than {self._longest_fetch:g} seconds")
        return bytes(data)

    def _is_slacks(self, url: str) -> bool:
        try:
            address = urlsplit(url)
        except ValueError:
            return False
        return (address.scheme, address.netloc) == (self._origin.scheme, self._origin.netloc)
