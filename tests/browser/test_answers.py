"""What answers look like in Chromium: streams, cards, tables and files.

There is no bridge behind the page: slack_sdk's client plays the app.
"""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from slack_sdk import WebClient

from simulator.journal import Journal
from simulator.page import page as slack_page
from simulator.slack import seed
from simulator.slack.service import SlackService
from tests.browser.conftest import first_view
from tests.simulator.slack.conftest import BOT_TOKEN, MANIFEST, SIGNING_SECRET, Control

pytestmark = pytest.mark.browser

# One pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

# How far from the left edge of its paragraph a text begins, in pixels.
GAP_BEFORE_TEXT = """node => {
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getBoundingClientRect().left - node.getBoundingClientRect().left;
}"""


@pytest.fixture
def service() -> Iterator[SlackService]:
    journal = Journal()
    service = SlackService(
        journal=journal, manifest=MANIFEST, signing_secret=SIGNING_SECRET, bot_token=BOT_TOKEN
    )
    service.app.register_blueprint(
        slack_page.Page(service.workspace, service.installation, journal).blueprint
    )
    service.start()
    yield service
    service.stop()


@pytest.fixture
def page(tab: Page, service: SlackService) -> Iterator[Page]:
    yield from first_view(tab, service.url)


@pytest.fixture
def client(service: SlackService) -> WebClient:
    return WebClient(BOT_TOKEN, base_url=service.api_url, retry_handlers=[])


def thread(page: Page) -> Locator:
    return page.locator("#thread-messages .message")


def open_thread(page: Page, channel: str, ts: str) -> None:
    page.evaluate("place => { location.hash = place; }", f"#{channel}/{ts}")
    expect(thread(page).first).to_have_attribute("data-ts", ts)


def test_a_stream_shows_its_status_its_steps_and_its_table(
    page: Page, service: SlackService, client: WebClient
) -> None:
    root = Control(service.url).say("general", "how is Chicago?")["ts"]
    open_thread(page, "general", root)
    client.assistant_threads_setStatus(channel_id=seed.GENERAL, thread_ts=root, status="is thinking…")
    expect(page.locator("#thread-status")).to_have_text("agent is thinking…")

    looking = {"type": "task_update", "id": "t1", "title": "Looking up Chicago", "status": "in_progress"}
    ts = client.chat_startStream(
        channel=seed.GENERAL,
        thread_ts=root,
        chunks=[looking],
        recipient_user_id=seed.ALICE.id,
        recipient_team_id=seed.TEAM.id,
    )["ts"]
    expect(page.locator("#thread-status")).to_be_hidden()
    answer = thread(page).nth(1)
    expect(answer.locator(".task.in_progress")).to_contain_text("Looking up Chicago")
    expect(answer).to_have_class(re.compile("streaming"))

    rows = "| day | °C |\n| --- | --: |\n| today | 27 |\n"
    done = looking | {"status": "complete", "output": "27 °C"}
    text = {"type": "markdown_text", "text": f"## Chicago\n\n{rows}\n```python\nx = 1"}
    client.api_call("chat.appendStream", json={"channel": seed.GENERAL, "ts": ts, "chunks": [done, text]})
    expect(answer.locator(".task.complete")).to_contain_text("27 °C")
    expect(answer.locator("h2")).to_have_text("Chicago")
    expect(answer.locator("td")).to_have_text(["today", "27"])
    expect(answer.locator("pre")).to_have_attribute("data-language", "python")

    end = [{"type": "markdown_text", "text": "\n```\n\nגשם היה בעיר"}]
    client.chat_stopStream(channel=seed.GENERAL, ts=str(ts), chunks=end)
    expect(answer).not_to_have_class(re.compile("streaming"))
    last = answer.locator(".markdown > p").last
    expect(last).to_have_text("גשם היה בעיר")
    assert last.evaluate(GAP_BEFORE_TEXT) > 100
    expect(answer.locator(".edited")).to_have_count(0)


def test_a_picture_of_the_agents_is_shown_and_its_table_can_be_downloaded(
    page: Page, service: SlackService, client: WebClient
) -> None:
    root = Control(service.url).say("general", "as files, please")["ts"]
    open_thread(page, "general", root)
    client.files_upload_v2(channel=seed.GENERAL, thread_ts=root, filename="chart.png", content=PNG)
    client.files_upload_v2(channel=seed.GENERAL, thread_ts=root, filename="a.csv", content=b"a,b\n")
    picture = thread(page).nth(1).locator("img:not(.avatar)")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    with page.expect_download() as download:
        thread(page).nth(2).locator(".file").click()
    assert download.value.suggested_filename == "a.csv"


def test_a_file_goes_with_a_message(page: Page, service: SlackService, tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    path.write_bytes(PNG)
    page.evaluate("location.hash = '#general'")
    # Before that a file would be chosen for the first channel.
    expect(page.locator("#channel-title")).to_have_text("# general")
    page.locator("#composer-files").set_input_files([path])
    expect(page.locator("#channel-composer .chosen-files li")).to_contain_text("map.png")
    page.locator("#composer").fill("what is this?")
    page.locator("#composer").press("Enter")
    message = page.locator("#channel-messages .message").last
    expect(message.locator(".body img")).to_be_visible()
    expect(message).to_contain_text("what is this?")
    expect(page.locator("#channel-composer .chosen-files li")).to_have_count(0)
    [shown] = Control(service.url).message(seed.GENERAL, str(message.get_attribute("data-ts")))["files"]
    stored = service.workspace.files.get(shown["id"])
    assert stored is not None
    assert (stored.content, stored.mimetype, stored.name) == (PNG, "image/png", "map.png")
    assert base64.b64encode(PNG).decode() not in json.dumps(shown)
