"""The files of the fake Slack, uploaded or about to be: docs.slack.dev/messaging/working-with-files."""

import mimetypes
import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]


@dataclass
class File:
    """A file of `size` bytes. `content` is None until it is uploaded, `title` until it is shared."""

    id: str
    name: str
    size: int
    user_id: str
    team_id: str
    mimetype: str
    origin: str
    content: bytes | None = None
    title: str | None = None
    created: int = field(default_factory=lambda: int(time.time()))

    def render(self) -> Json:
        """docs.slack.dev/reference/objects/file-object"""
        path = f"{self.origin}/files-pri/{self.team_id}-{self.id}"
        name = quote(re.sub(r"[^a-z0-9._-]+", "_", self.name.lower()))
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "filetype": self.name.rpartition(".")[2].lower(),
            "user": self.user_id,
            "user_team": self.team_id,
            "editable": False,
            "size": self.size,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": False,
            "public_url_shared": False,
            "display_as_bot": False,
            "url_private": f"{path}/{name}",
            "url_private_download": f"{path}/download/{name}",
            "has_rich_preview": False,
            "file_access": "visible",
        }


class Files:
    """All files, by id. `origin` ("http://127.0.0.1:1234") is set once it is known where they are served."""

    def __init__(self) -> None:
        self.origin = "https://files.slack.com"
        self._files: dict[str, File] = {}
        self._uploads: dict[str, File] = {}
        self._lock = threading.Lock()

    def add(
        self,
        *,
        name: str,
        user_id: str,
        team_id: str,
        size: int,
        mimetype: str | None = None,
        content: bytes | None = None,
    ) -> File:
        """`mimetype` None is guessed from the name."""
        kind = mimetype or mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = File(
            "F" + secrets.token_hex(5).upper(), name, size, user_id, team_id, kind, self.origin, content
        )
        with self._lock:
            self._files[file.id] = file
        return file

    def get(self, file_id: str) -> File | None:
        return self._files.get(file_id)

    def upload_url(self, file: File) -> str:
        """Where the bytes of a file are to be posted to, once."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._uploads[ticket] = file
        return f"{self.origin}/upload/v1/{ticket}"

    def take_upload(self, ticket: str) -> File | None:
        with self._lock:
            return self._uploads.pop(ticket, None)
