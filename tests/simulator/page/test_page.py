import http.client
import re
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from simulator.journal import Journal
from simulator.slack import seed
from simulator.slack.service import SlackService

STATIC = Path("simulator/page/static")


def send(service: SlackService, method: str, path: str, body: str = "", **headers: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=10)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    status = connection.getresponse().status
    connection.close()
    return status


def post(service: SlackService, **headers: str) -> int:
    body = '{"channel": "general", "user": "alice", "text": "hello"}'
    return send(service, "POST", "/control/messages", body, **headers)


def port(service: SlackService) -> int | None:
    return urlsplit(service.url).port


def test_the_page_is_served_with_a_strict_policy(service: SlackService) -> None:
    with urlopen(service.url + "/", timeout=10) as answer:
        html = answer.read().decode()
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=|https?://", html)


def test_everything_that_the_page_loads_is_here(service: SlackService) -> None:
    html = (STATIC / "index.html").read_text()
    paths = re.findall(r'(?:href|src)="(/[^"]+)"', html)
    modules = [
        name for file in STATIC.glob("*.js") for name in re.findall(r'from "\./(.+?)"', file.read_text())
    ]
    for path in {*paths, *(f"/page/static/{name}" for name in modules)}:
        with urlopen(service.url + path, timeout=10) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers.get_content_type() in ("text/css", "text/javascript", "image/svg+xml")


@pytest.mark.parametrize("name", ["page.py", "..", "..%2fpage.py", "nothing.css"])
def test_other_files_are_not_served(service: SlackService, name: str) -> None:
    assert send(service, "GET", f"/page/static/{name}") == 404


def test_nothing_comes_from_elsewhere() -> None:
    for file in STATIC.iterdir():
        found = re.findall(
            r"(?:https?:)?//[\w.-]+\.\w+", re.sub(r"^\s*//.*", "", file.read_text(), flags=re.M)
        )
        assert [url for url in found if not url.endswith("//www.w3.org")] == [], file.name


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_local_names_are_served(service: SlackService, host: str) -> None:
    assert send(service, "GET", "/", Host=f"{host}:{port(service)}") == 200
    assert send(service, "GET", "/", Host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "[", "", "a@127.0.0.1:x"]
)
@pytest.mark.parametrize("path", ["/", "/page/events", "/control/state", "/api/auth.test"])
def test_a_strangers_name_is_refused(service: SlackService, host: str, path: str) -> None:
    assert send(service, "GET", path, Host=host) == 403


def test_a_post_from_another_site_is_refused(service: SlackService) -> None:
    assert post(service, Origin="https://evil.example") == 403
    assert post(service, Origin="null") == 403
    assert post(service, Origin="http://127.0.0.1:1") == 403
    assert service.workspace.messages("C01GENERAL") == []


def test_a_post_from_the_page_or_from_a_script_is_done(service: SlackService) -> None:
    assert post(service, Origin=service.url) == 200
    assert post(service) == 200


def test_an_entrys_facts_are_served_whole(service: SlackService, journal: Journal) -> None:
    journal.add("slack", "api call", method="chat.update", arguments={"text": "x"})
    with urlopen(service.url + "/page/entries/1", timeout=10) as answer:
        assert answer.read() == b'{"method": "chat.update", "arguments": {"text": "x"}}'


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999"])
def test_an_entry_that_is_not_there_is_not_found(
    service: SlackService, journal: Journal, number: str
) -> None:
    journal.add("slack", "api call")
    with pytest.raises(HTTPError, match="404") as error, urlopen(f"{service.url}/page/entries/{number}"):
        pass
    error.value.close()


@pytest.mark.parametrize(
    ("name", "kind", "disposition"),
    [
        ("chart.png", "image/png", None),
        ("page.html", "application/octet-stream", "attachment"),
        ("drawing.svg", "application/octet-stream", "attachment"),
    ],
)
def test_a_file_is_shown_only_if_it_is_a_picture(
    service: SlackService, name: str, kind: str, disposition: str | None
) -> None:
    file = service.workspace.files.add(
        name=name, user_id=seed.ALICE.id, team_id=seed.TEAM.id, size=3, content=b"abc"
    )
    with urlopen(f"{service.url}/page/files/{file.id}", timeout=10) as answer:
        assert answer.read() == b"abc"
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["Content-Disposition"] == disposition
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_is_not_there_is_not_found(service: SlackService) -> None:
    missing = service.workspace.files.add(name="a.csv", user_id=seed.ALICE.id, team_id=seed.TEAM.id, size=3)
    assert send(service, "GET", f"/page/files/{missing.id}") == 404
    assert send(service, "GET", "/page/files/F0NOTHING") == 404
