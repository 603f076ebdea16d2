from collections.abc import Iterator
from dataclasses import replace

import pytest
from werkzeug.wrappers import Request, Response

from functions.adapters.aws.json_client import JsonClient
from functions.adapters.aws.secrets import CachedSecret
from functions.adapters.slack.files import SlackFiles
from functions.bridge.agents.attachments import MOST_BYTES, AttachmentUnavailable
from functions.bridge.turn import Attachment
from simulator.http import HttpServer
from simulator.slack import seed
from simulator.slack.faults import Fault
from simulator.slack.service import SlackService
from tests.functions.fakes import FakeClock
from tests.functions.workspace import BOT_TOKEN

PNG = b"\x89PNG\x00\xff"


@pytest.fixture
def token(bot_token: str) -> CachedSecret:
    return CachedSecret(JsonClient("secretsmanager"), bot_token, FakeClock())


@pytest.fixture
def files(slack: SlackService, token: CachedSecret) -> SlackFiles:
    return SlackFiles(token, origin=slack.files_origin)


@pytest.fixture
def attachment(slack: SlackService) -> Attachment:
    """A file that Alice has uploaded."""
    stored = slack.workspace.files.add(
        name="chart é.png", user_id=seed.ALICE.id, team_id=seed.TEAM.id, size=len(PNG), content=PNG
    )
    return Attachment(stored.name, "image/png", stored.size, stored.render()["url_private"])


class Elsewhere:
    """A server that answers the same to everybody, and keeps what was asked of it."""

    def __init__(self) -> None:
        self.answer = Response(PNG)
        self.requests: list[tuple[str, str | None]] = []
        self.connections: list[str | None] = []  # the Connection header of each request
        self._server = HttpServer(Request.application(self._serve))
        self.url = self._server.url
        self.start, self.stop = self._server.start, self._server.stop

    def _serve(self, request: Request) -> Response:
        self.requests.append((request.path, request.headers.get("Authorization")))
        self.connections.append(request.headers.get("Connection"))
        return self.answer


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    server = Elsewhere()
    server.start()
    yield server
    server.stop()


def test_a_file_is_fetched_with_the_bots_token(files: SlackFiles, attachment: Attachment) -> None:
    assert files.fetch(attachment) == PNG


def test_only_slacks_own_address_gets_the_token(
    files: SlackFiles, attachment: Attachment, elsewhere: Elsewhere
) -> None:
    with pytest.raises(AttachmentUnavailable, match="another address"):
        files.fetch(replace(attachment, url=f"{elsewhere.url}/chart.png"))
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "chart.png",
        "http://{host}/chart.png",  # not encrypted
        "https://{host}.a.example/chart.png",
        "https://{host}@a.example/chart.png",
        "https://{host}:444/chart.png",
        "https://a.example/{host}",
        "https://a.example\\@{host}/chart.png",
        "https://{host}\\.a.example/chart.png",
        "file:///etc/passwd",
        "https://[{host}/chart.png",
    ],
)
def test_what_only_looks_like_slacks_address_is_refused(
    token: CachedSecret, attachment: Attachment, url: str
) -> None:
    files = SlackFiles(token, origin="https://files.slack.com")
    with pytest.raises(AttachmentUnavailable, match="another address"):
        files.fetch(replace(attachment, url=url.replace("{host}", "files.slack.com")))


def test_a_redirect_is_not_followed(
    token: CachedSecret, attachment: Attachment, elsewhere: Elsewhere
) -> None:
    elsewhere.answer = Response("", 302, headers={"Location": f"{elsewhere.url}/login"})
    files = SlackFiles(token, origin=elsewhere.url)
    with pytest.raises(AttachmentUnavailable, match="302"):
        files.fetch(replace(attachment, url=f"{elsewhere.url}/chart.png"))
    assert elsewhere.requests == [("/chart.png", f"Bearer {BOT_TOKEN}")]


def test_a_wrong_token_gets_no_file(slack: SlackService, files: SlackFiles, attachment: Attachment) -> None:
    slack.installation.bot_token = "xoxb-another"
    with pytest.raises(AttachmentUnavailable, match="302"):
        files.fetch(attachment)


def test_without_the_scope_there_is_no_file(
    slack: SlackService, files: SlackFiles, attachment: Attachment
) -> None:
    slack.installation.scopes.discard("files:read")
    with pytest.raises(AttachmentUnavailable, match="302"):
        files.fetch(attachment)


def test_a_file_that_was_deleted_is_not_there(
    slack: SlackService, files: SlackFiles, attachment: Attachment
) -> None:
    with pytest.raises(AttachmentUnavailable, match="404"):
        files.fetch(replace(attachment, url=f"{slack.files_origin}/files-pri/T1-F0/x.png"))


@pytest.mark.parametrize(("size", "taken"), [(MOST_BYTES, True), (MOST_BYTES + 1, False)])
def test_no_more_is_read_than_an_agent_may_get(
    token: CachedSecret, attachment: Attachment, elsewhere: Elsewhere, size: int, taken: bool
) -> None:
    elsewhere.answer = Response(b"x" * size)
    files = SlackFiles(token, origin=elsewhere.url)
    larger = replace(attachment, url=f"{elsewhere.url}/chart.png")
    if taken:
        assert len(files.fetch(larger)) == size
    else:
        with pytest.raises(AttachmentUnavailable, match="larger"):
            files.fetch(larger)


def test_an_empty_file_is_none(token: CachedSecret, attachment: Attachment, elsewhere: Elsewhere) -> None:
    elsewhere.answer = Response(b"")
    with pytest.raises(AttachmentUnavailable, match="empty"):
        SlackFiles(token, origin=elsewhere.url).fetch(replace(attachment, url=f"{elsewhere.url}/x"))


@pytest.mark.parametrize(
    "fault", [Fault("files.download", status=503), Fault("files.download", drop="before")], ids=str
)
def test_a_file_that_does_not_come_is_no_crash(
    slack: SlackService, files: SlackFiles, attachment: Attachment, fault: Fault
) -> None:
    slack.faults.add(replace(fault))
    with pytest.raises(AttachmentUnavailable):
        files.fetch(attachment)


def test_a_file_is_fetched_over_a_connection_of_its_own(
    token: CachedSecret, attachment: Attachment, elsewhere: Elsewhere
) -> None:
    SlackFiles(token, origin=elsewhere.url).fetch(replace(attachment, url=f"{elsewhere.url}/chart.png"))
    assert elsewhere.connections == ["close"]


def test_a_slack_that_is_not_there_is_no_crash(token: CachedSecret, attachment: Attachment) -> None:
    files = SlackFiles(token, origin="http://127.0.0.1:9")
    with pytest.raises(AttachmentUnavailable):
        files.fetch(replace(attachment, url="http://127.0.0.1:9/chart.png"))


@pytest.mark.usefixtures("aws")
def test_without_a_token_nothing_is_asked_for(attachment: Attachment, elsewhere: Elsewhere) -> None:
    token = CachedSecret(JsonClient("secretsmanager"), "no-such-secret", FakeClock())
    with pytest.raises(AttachmentUnavailable):
        SlackFiles(token, origin=elsewhere.url).fetch(replace(attachment, url=f"{elsewhere.url}/x"))
    assert elsewhere.requests == []
