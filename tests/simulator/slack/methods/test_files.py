from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient

from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.simulator.slack.conftest import Control
from tests.simulator.slack.refusal import refused

CSV = b"city,temperature\nChicago,27\n"


def test_the_clients_upload_shares_a_file_in_the_thread(client: WebClient, control: Control) -> None:
    root = control.say("general", "@agent as a file, please")["ts"]
    answer = client.files_upload_v2(
        channel=seed.GENERAL,
        thread_ts=root,
        content=CSV,
        filename="forecast.csv",
        title="Forecast",
        initial_comment="Here it is.",
    )
    [_, reply] = control.get("thread", channel="general", ts=root)["messages"]
    assert reply["text"] == "Here it is."
    assert "subtype" not in reply
    [file] = reply["files"]
    assert (file["id"], file["title"]) == (answer["file"]["id"], "Forecast")
    assert (file["name"], file["mimetype"], file["size"]) == ("forecast.csv", "text/csv", len(CSV))


def test_an_upload_needs_a_name_and_a_length(client: WebClient) -> None:
    with refused("invalid_arguments"):
        client.files_getUploadURLExternal(filename="", length=1)
    with refused("invalid_arguments"):
        client.files_getUploadURLExternal(filename="empty.csv", length=0)


def test_bytes_of_another_length_are_refused(client: WebClient) -> None:
    answer = client.files_getUploadURLExternal(filename="forecast.csv", length=len(CSV) + 1)
    with pytest.raises(HTTPError) as error:
        urlopen(Request(answer["upload_url"], data=CSV), timeout=10)
    error.value.close()
    assert error.value.code == 400
    with refused("file_not_found"):
        client.files_completeUploadExternal(files=[{"id": answer["file_id"]}], channel_id=seed.GENERAL)


def test_bytes_come_once(client: WebClient) -> None:
    answer = client.files_getUploadURLExternal(filename="forecast.csv", length=len(CSV))
    with urlopen(Request(answer["upload_url"], data=CSV), timeout=10) as uploaded:
        assert uploaded.status == 200
    with pytest.raises(HTTPError) as error:
        urlopen(Request(answer["upload_url"], data=CSV), timeout=10)
    error.value.close()
    assert error.value.code == 404


def test_a_file_is_shared_once_and_only_by_its_owner(client: WebClient, control: Control) -> None:
    control.say("general", "look", files=[{"name": "map.png"}])
    [file] = control.get("state")["messages"][0]["files"]
    own = client.files_upload_v2(channel=seed.GENERAL, content=CSV, filename="forecast.csv")["file"]
    for file_id in (file["id"], own["id"], "F0NOTHING"):
        with refused("file_not_found"):
            client.files_completeUploadExternal(files=[{"id": file_id}], channel_id=seed.GENERAL)


def test_a_file_goes_where_a_message_could(client: WebClient, service: SlackService) -> None:
    file = service.workspace.files.add(
        name="a.csv", user_id="U0AGENT01", team_id=seed.TEAM.id, size=len(CSV), content=CSV
    )
    places: list[tuple[dict[str, Any], str]] = [
        ({"channel_id": "C0NOWHERE"}, "channel_not_found"),
        ({"channel_id": seed.GENERAL, "thread_ts": "1700000000.000001"}, "thread_not_found"),
    ]
    for where, error in places:
        with refused(error):
            client.files_completeUploadExternal(files=[{"id": file.id}], **where)
    assert client.files_completeUploadExternal(files=[{"id": file.id}], channel_id=seed.GENERAL)["ok"]


def test_an_upload_needs_files_write(client: WebClient, control: Control) -> None:
    control.post("scopes", remove=["files:write"])
    with refused("missing_scope"):
        client.files_getUploadURLExternal(filename="a.csv", length=1)
    with refused("missing_scope"):
        client.files_completeUploadExternal(files=[{"id": "F1"}], channel_id=seed.GENERAL)
