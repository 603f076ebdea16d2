"""Downloads with urllib3, which follows redirects only when it is asked to."""

import base64

import pytest
import urllib3

from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import BOT_TOKEN, Control

PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
def url(control: Control) -> str:
    file = {"name": "My Map.png", "bytes": base64.b64encode(PNG).decode()}
    control.say("general", "@agent what is this?", files=[file])
    return str(control.get("state")["messages"][0]["files"][0]["url_private"])


def get(url: str, token: str | None = BOT_TOKEN) -> urllib3.BaseHTTPResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urllib3.PoolManager(retries=False) as pool:
        return pool.request("GET", url, headers=headers, redirect=False)


def test_the_bot_downloads_what_a_person_has_uploaded(service: SlackService, url: str) -> None:
    assert url.startswith(service.files_origin + "/files-pri/T01WEATHER-F")
    assert url.endswith("/my_map.png")
    assert service.files_origin != service.url
    answer = get(url)
    assert (answer.status, answer.data) == (200, PNG)
    assert answer.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize("token", [None, "xoxb-of-somebody-else"])
def test_others_are_sent_to_a_login_page(url: str, token: str | None) -> None:
    answer = get(url, token)
    assert answer.status == 302
    assert PNG not in answer.data
    with urllib3.PoolManager() as pool:
        followed = pool.request("GET", url)
    assert followed.status == 200
    assert followed.headers["Content-Type"].startswith("text/html")


def test_the_bot_needs_files_read(control: Control, url: str) -> None:
    control.post("scopes", remove=["files:read"])
    assert get(url).status == 302


def test_a_file_that_does_not_exist_is_not_found(service: SlackService) -> None:
    assert get(f"{service.files_origin}/files-pri/T01WEATHER-F0/a.png").status == 404


def test_a_download_fails_as_asked(control: Control, url: str) -> None:
    control.post("faults", method="files.download", status=503)
    control.post("faults", method="files.download", drop="before")
    assert get(url).status == 503
    with pytest.raises(urllib3.exceptions.HTTPError):
        get(url)
    assert get(url).data == PNG
