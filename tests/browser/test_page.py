"""The page in Chromium, on the whole simulation: real functions between stand-ins."""

import itertools
import threading
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect
from werkzeug.wrappers import Response

from simulator.simulation import Simulation
from simulator.slack import seed
from simulator.tap import Call
from tests.simulator.slack.conftest import Control

pytestmark = pytest.mark.browser

# Remembers what each message of the thread has said, one text after the other.
RECORD_THREAD = """
window.said = {};
new MutationObserver(() => {
  for (const message of document.querySelectorAll("#thread-messages .message")) {
    const said = (window.said[message.dataset.ts] ??= []);
    const text = message.querySelector(".body").textContent.trim();
    if (said.at(-1) !== text) said.push(text);
  }
}).observe(document.body, { childList: true, subtree: true, characterData: true });
"""

# The content grows after the reader scrolled, and before the browser has told of it.
SCROLL_AND_GROW = """
async () => {
  const { StickyScroller } = await import("/page/static/dom.js");
  const scroller = document.createElement("div");
  scroller.style = "height: 200px; overflow: auto";
  const content = scroller.appendChild(document.createElement("div"));
  document.body.append(scroller);
  const sticky = new StickyScroller(scroller);
  const positions = [];
  for (const [height, isScrolled] of [[1000, false], [1500, false], [2000, true]]) {
    if (isScrolled) scroller.scrollTop = 100;
    content.style.height = `${height}px`;
    sticky.follow();
    positions.push(scroller.scrollTop);
  }
  scroller.remove();
  return positions;
}
"""


def thread(page: Page) -> Locator:
    return page.locator("#thread-messages .message")


def channel(page: Page) -> Locator:
    return page.locator("#channel-messages .message")


def said(page: Page, ts: object) -> Locator:
    """A message of the channel, which may have yet to come: the last one is another until then."""
    return channel(page).and_(page.locator(f"[data-ts='{ts}']"))


def write(page: Page, text: str, field: str = "#composer") -> None:
    page.locator(field).fill(text)
    page.locator(field).press("Enter")


def go_to(page: Page, name: str) -> None:
    page.locator(".place").and_(page.get_by_role("button", name=name)).click()


def speak_as(page: Page, name: str) -> None:
    page.locator(".speaker", has_text=name).click()


def test_a_question_is_answered_in_its_thread_and_can_be_followed_up(
    page: Page, simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    placeholder_seen = threading.Event()

    def begin_late(call: Call, perform: Callable[[], Response]) -> Response:
        """On a busy machine the placeholder might have gone before the page is told of it."""
        if call.service == "Bedrock":
            placeholder_seen.wait(60)
        return perform()

    monkeypatch.setattr(simulation.tap, "interceptor", begin_late)
    expect(page.locator("#composer")).to_be_focused()
    page.evaluate(RECORD_THREAD)
    page.keyboard.type("@ag")
    expect(page.get_by_role("option", name="agent")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("what's the weather in Chicago today?")
    expect(page.locator("#composer")).to_have_value("@agent what's the weather in Chicago today?")
    page.keyboard.press("Enter")

    question = channel(page).last
    expect(question.locator(".mention")).to_have_text("@agent")
    expect(question.get_by_role("button", name="1 reply")).to_be_visible()
    answer = thread(page).nth(1)
    expect(answer.locator(".body")).to_have_text("Processing…")
    placeholder_seen.set()
    expect(answer.locator("li")).to_have_count(3)
    expect(answer.locator("strong").filter(has_text="Chicago")).to_be_visible()
    expect(answer.locator(".badge")).to_have_text("APP")
    expect(answer.locator(".edited")).to_be_visible()
    texts = page.evaluate("window.said")[answer.get_attribute("data-ts")]
    assert texts[0] == "Processing…"
    assert len(texts) > 2

    write(page, "@agent and as a chart?", "#reply")
    expect(thread(page).nth(3)).to_contain_text("Here is the chart for Chicago")
    expect(question.get_by_role("button", name="5 replies")).to_be_visible()


def test_a_direct_message_needs_no_mention(page: Page) -> None:
    go_to(page, "agent APP")
    write(page, "what's the weather in Paris?")
    expect(thread(page).nth(1)).to_contain_text("Paris")
    expect(thread(page).nth(0).locator(".mention")).to_have_count(0)


def test_everybody_sees_their_channels_and_speaks_in_their_name(page: Page) -> None:
    expect(page.locator("#channels .place")).to_have_count(7)
    speak_as(page, "Bob")
    expect(page.locator("#channels .place")).to_have_count(6)
    write(page, "good morning")
    expect(channel(page).last.locator(".author")).to_have_text("Bob Bailey")
    speak_as(page, "Erin")
    expect(page.locator("#channel-title")).to_have_text("# weather-partner")
    expect(page.locator("#direct-messages-section")).to_be_hidden()
    write(page, "@agent what's the weather in Oslo?")
    expect(thread(page).nth(1)).to_contain_text("only answer people of the organisation")


def test_another_window_sees_it_without_reloading(page: Page, simulation: Simulation) -> None:
    other = page.context.new_page()
    other.goto(simulation.url + "#general")
    expect(other.locator("#channel-title")).to_have_text("# general")
    before = channel(other).count()
    other.locator("#composer").fill("a half-written thou")
    go_to(page, "general")
    write(page, "first line")
    expect(channel(other)).to_have_count(before + 1)
    expect(other.locator("#composer")).to_have_value("a half-written thou")
    other.close()


def test_an_unread_channel_says_so(page: Page, simulation: Simulation) -> None:
    Control(simulation.url).say("weather-partner", "news from outside", "erin")
    expect(page.locator(".place.unread")).to_contain_text("weather-partner")
    go_to(page, "weather-partner")
    expect(page.locator(".place.unread")).to_have_count(0)


def test_shift_enter_begins_a_line_and_drafts_stay_in_their_channel(page: Page) -> None:
    page.keyboard.type("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    expect(page.locator("#composer")).to_have_value("one\ntwo")
    expect(page.locator("#channel-composer .advice")).to_contain_text("only messages that mention it")
    go_to(page, "general")
    expect(page.locator("#composer")).to_have_value("")
    go_to(page, "weather-demo")
    expect(page.locator("#composer")).to_have_value("one\ntwo")


def test_hostile_text_is_shown_as_text(page: Page, simulation: Simulation) -> None:
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    go_to(page, "weather-private")
    write(page, hostile)
    expect(channel(page).last.locator(".body")).to_have_text(hostile)
    blocks = [
        {"type": "markdown", "text": f"{hostile}\n\n[x](javascript:alert(1)) ![x](https://127.0.0.1:1/x)"}
    ]
    private = simulation.slack.workspace.channels[seed.PRIVATE]
    posted = simulation.slack.workspace.post(private, simulation.slack.installation.bot, "x", blocks=blocks)
    body = said(page, posted.ts).locator(".body")
    expect(body).to_contain_text(hostile)
    expect(body.locator("img, script, [onerror]")).to_have_count(0)
    expect(page).to_have_title("#weather-private · slack-agent-bridge")


def test_the_inspector_follows_a_question_through_the_bridge(page: Page, simulation: Simulation) -> None:
    page.get_by_role("button", name="Inspector", exact=True).click()
    asked = Control(simulation.url).say("weather-demo", "@agent what's the weather in Rome?")
    said(page, asked["ts"]).get_by_role("button", name="1 reply").click()
    expect(thread(page).nth(1)).to_contain_text("Wind:")
    page.get_by_label("this thread only").check()
    entries = page.locator(".entries li")
    expect(entries.last).to_contain_text("message deleted")
    text = page.locator(".entries").inner_text()
    for words in (
        "alice in #weather-demo",
        "POST /slack/events → 200",
        "app_mention → 200",
        "agent-bridge-questions.fifo",
        "“what's the weather in Rome?”",
        "chat.postMessage → ok",
        "chat.update → ok",
        "worker · ok",
    ):
        assert words in text
    assert "environment started" not in text

    entries.filter(has_text="chat.postMessage").locator("summary").click()
    expect(page.locator(".facts pre").first).to_contain_text("agent_bridge_reply")
    page.locator("#sources").get_by_role("button", name="Slack").click()
    expect(entries.filter(has_text="chat.postMessage")).to_have_count(0)
    page.get_by_label("Filter the entries").fill("worker")
    expect(entries.filter(has_not_text="worker")).to_have_count(0)
    expect(entries).to_have_count(2)


def test_things_to_try_fill_the_message_field(page: Page) -> None:
    page.get_by_role("button", name="Things to try").click()
    page.get_by_role("button", name="as a table answers with a table").click()
    expect(page.locator("#composer")).to_have_value("@agent weather in Chicago today, as a table")
    expect(page.locator("#composer")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()


def test_a_growing_answer_leaves_selection_scroll_and_typing_alone(
    page: Page, simulation: Simulation
) -> None:
    workspace, bot = simulation.slack.workspace, simulation.slack.installation.bot
    general = workspace.channels[seed.GENERAL]
    root = workspace.post(general, workspace.users[seed.ALICE.id], "root")
    paragraphs = [f"Paragraph {number}, that has some words in it." for number in range(60)]
    first = [{"type": "markdown", "text": "\n\n".join(paragraphs[:40])}]
    reply = workspace.post(general, bot, "x", blocks=first, thread_ts=root.ts)
    go_to(page, "general")
    said(page, root.ts).get_by_role("button", name="1 reply").click()
    page.keyboard.type("my reply")
    scroller = page.locator("#thread-scroller")
    scroller.evaluate("scroller => { scroller.scrollTop = 100; }")
    page.evaluate(
        "document.getSelection().selectAllChildren(document.querySelector('#thread-messages .markdown p'))"
    )
    for count in range(41, 61):
        workspace.edit(reply, bot, "x", [{"type": "markdown", "text": "\n\n".join(paragraphs[:count])}])
        time.sleep(0.02)
    expect(thread(page).nth(1)).to_contain_text("Paragraph 59")
    assert scroller.evaluate("scroller => scroller.scrollTop") == 100
    assert page.evaluate("document.getSelection().toString()") == paragraphs[0]
    expect(page.locator("#reply")).to_have_value("my reply")


def test_a_reader_who_scrolls_up_as_the_answer_grows_stays_there(page: Page) -> None:
    assert page.evaluate(SCROLL_AND_GROW) == [800, 1300, 100]


def test_a_reload_keeps_the_place_and_the_person(page: Page, simulation: Simulation) -> None:
    sent = Control(simulation.url).say("general", "where were we?")
    speak_as(page, "Bob")
    go_to(page, "general")
    root = said(page, sent["ts"])
    root.hover()
    root.get_by_role("button", name="Reply in thread").click()
    page.reload()
    expect(page.locator("#thread-title")).to_be_visible()
    expect(thread(page).first).to_have_attribute("data-ts", sent["ts"])
    expect(page.get_by_role("radio", name="Bob Bailey")).to_be_checked()


def test_the_address_of_a_message_that_has_not_come_yet_opens_its_thread_once_it_has(
    page: Page, simulation: Simulation
) -> None:
    workspace = simulation.slack.workspace
    with workspace.lock:  # so the page is told nothing
        alice, general = workspace.users[seed.ALICE.id], workspace.channels[seed.GENERAL]
        root = workspace.post(general, alice, "just written")
        page.evaluate("place => { location.hash = place; }", f"#general/{root.ts}")
        expect(page.locator("#channel-title")).to_have_text("# general")
        expect(page.locator("#thread")).to_be_hidden()
    expect(thread(page).first).to_have_attribute("data-ts", root.ts)


@pytest.mark.parametrize("width", [768, 900, 1024])
def test_in_a_window_of_middling_width_a_thread_takes_the_channels_place(
    page: Page, simulation: Simulation, width: int
) -> None:
    root = said(page, Control(simulation.url).say("general", "middling")["ts"])
    page.set_viewport_size({"width": width, "height": 800})
    go_to(page, "general")
    root.hover()
    root.get_by_role("button", name="Reply in thread").click()
    expect(thread(page).first).to_be_in_viewport()
    expect(page.locator("#composer")).to_be_hidden()
    assert page.locator("#reply").bounding_box()["width"] > 0.6 * (width - 232)  # type: ignore[index]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("button", name="Close the thread").click()
    expect(page.locator("#composer")).to_be_focused()


def overlapping(page: Page, *selectors: str) -> list[str]:
    """Neighbours, from left to right, of which one begins before the other ends."""
    boxes = [(one, page.locator(one).bounding_box()) for one in selectors]
    found = [(one, box) for one, box in boxes if box]
    return [
        f"{one} {box} and {other} {next_box}"
        for (one, box), (other, next_box) in itertools.pairwise(found)
        if box["x"] + box["width"] > next_box["x"]
    ]


def test_a_long_channel_name_leaves_place_for_the_rest(page: Page, simulation: Simulation) -> None:
    workspace = simulation.slack.workspace
    shared = workspace.channels[seed.SHARED]
    name, shared.name = shared.name, "a-name-of-eighty-characters-" + "x" * 52
    workspace.touch()
    try:
        go_to(page, shared.name)
        for width in (1280, 900, 400):
            page.set_viewport_size({"width": width, "height": 800})
            bar = ("#channel-title", "#suggestions-toggle", "#inspector-toggle")
            assert overlapping(page, *bar) == []
            box = page.locator("#inspector-toggle").bounding_box()
            assert box
            assert box["x"] + box["width"] <= width
        page.set_viewport_size({"width": 1280, "height": 800})
        row = page.locator(f".place[data-channel='{shared.id}']")
        assert row.evaluate("row => row.scrollWidth <= row.clientWidth")
        assert page.locator(".introduction").evaluate("one => one.scrollWidth <= one.clientWidth")
    finally:
        shared.name = name
        workspace.touch()


def test_the_inspector_follows_beyond_a_thousand_rows(page: Page, simulation: Simulation) -> None:
    page.get_by_role("button", name="Inspector", exact=True).click()
    for batch in range(12):
        for number in range(100):
            simulation.journal.add("queue", "noted", number=batch * 100 + number)
        expect(page.locator(".entries li")).not_to_have_count(0)
        page.wait_for_timeout(150)  # the page hears of the entries ten times a second
    simulation.journal.add("queue", "the last one")
    last = page.locator(".entries li").last
    expect(last).to_contain_text("the last one")
    expect(last).to_be_in_viewport()
    assert page.locator(".entries li").count() == 1000
    scroller = page.locator("#entries-scroller")
    scroller.evaluate("scroller => { scroller.scrollTop = 500; }")
    page.wait_for_timeout(100)  # the browser tells of it
    simulation.journal.add("queue", "after that")
    expect(last).to_contain_text("after that")
    expect(last).not_to_be_in_viewport()


def test_the_skip_link_leads_to_the_message_field_of_the_same_channel(page: Page) -> None:
    go_to(page, "general")
    page.locator("#skip-link").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#composer")).to_be_focused()
    expect(page.locator("#channel-title")).to_have_text("# general")


def test_back_leads_to_the_place_before(page: Page, simulation: Simulation) -> None:
    root = said(page, Control(simulation.url).say("general", "go back")["ts"])
    go_to(page, "general")
    root.hover()
    root.get_by_role("button", name="Reply in thread").click()
    go_to(page, "weather-partner")
    page.go_back()
    expect(page.locator("#channel-title")).to_have_text("# general")
    expect(thread(page).first).to_contain_text("go back")
    page.go_back()
    expect(page.locator("#thread")).to_be_hidden()
    expect(page.locator("#channel-title")).to_have_text("# general")
    page.go_back()
    expect(page.locator("#channel-title")).to_have_text("# weather-demo")
    page.go_forward()
    page.go_forward()
    expect(thread(page).first).to_contain_text("go back")


def test_a_reload_keeps_drafts(page: Page, simulation: Simulation) -> None:
    root = said(page, Control(simulation.url).say("general", "a thread")["ts"])
    go_to(page, "general")
    root.hover()
    root.get_by_role("button", name="Reply in thread").click()
    page.locator("#composer").fill("a draft for the channel")
    page.locator("#reply").fill("a draft for the thread")
    page.reload()
    expect(page.locator("#composer")).to_have_value("a draft for the channel")
    expect(page.locator("#reply")).to_have_value("a draft for the thread")
    page.locator("#reply").press("Enter")
    expect(thread(page).last).to_contain_text("a draft for the thread")
    page.reload()
    expect(page.locator("#reply")).to_have_value("")


def test_an_ephemeral_message_is_shown_to_one_person(page: Page, simulation: Simulation) -> None:
    simulation.agent.force("internalServerException in stream")
    write(page, "@agent what's the weather in Cairo today?")
    expect(thread(page).last).to_contain_text("stopped because of an error of its own")
    speak_as(page, "Bob")
    thread(page).last.get_by_role("button", name="Retry").click()
    expect(thread(page).last).to_contain_text("Only the person who asked")
    expect(thread(page).last).to_contain_text("Only visible to you")
    speak_as(page, "Alice")
    expect(thread(page).last).to_contain_text("stopped because of an error of its own")


def test_a_narrow_window_shows_one_pane_at_a_time(page: Page, simulation: Simulation) -> None:
    narrow = said(page, Control(simulation.url).say("general", "narrow")["ts"])
    page.set_viewport_size({"width": 400, "height": 800})
    expect(page.locator("#sidebar")).to_be_hidden()
    page.get_by_role("button", name="Channels").click()
    go_to(page, "general")
    expect(page.locator("#sidebar")).to_be_hidden()
    narrow.hover()
    narrow.get_by_role("button", name="Reply in thread").click()
    expect(thread(page).first).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    page.get_by_role("button", name="Close the thread").click()
    expect(narrow).to_be_in_viewport()


def test_a_question_that_went_wrong_can_be_asked_again(page: Page, simulation: Simulation) -> None:
    simulation.agent.force("internalServerException in stream")
    write(page, "@agent what's the weather in Lima today?")
    expect(thread(page).last).to_contain_text("stopped because of an error of its own")
    thread(page).last.get_by_role("button", name="Retry").click()
    expect(thread(page).last).to_contain_text("Wind:")
    expect(thread(page).get_by_role("button", name="Retry")).to_have_count(0)
    expect(thread(page)).to_have_count(2)


def test_slacks_stop_ends_an_answer_from_the_page(page: Page) -> None:
    write(page, "@agent silently: what's the weather in Chicago today?")
    page.locator("#thread-stop").click()
    expect(thread(page).last).to_contain_text("Stopped by @alice")
    expect(page.locator("#thread-stop")).to_be_hidden()


def test_a_question_that_waits_carries_an_hourglass_until_its_turn(page: Page) -> None:
    write(page, "@agent silently: what's the weather in Chicago today?")
    # A press before the turn's first message stands is not meant for it.
    expect(thread(page).last).to_contain_text("Processing…")
    expect(page.locator("#thread-stop")).to_be_visible()
    write(page, "@agent and in Lima?", "#reply")
    question = thread(page).filter(has_text="and in Lima?")
    expect(question.locator(".reaction")).to_have_text("⏳ 1")
    page.locator("#thread-stop").click()
    expect(thread(page).last).to_contain_text("In Lima")
    expect(question.locator(".reaction")).to_have_count(0)


def test_a_request_of_the_agent_is_denied_with_a_reason(page: Page) -> None:
    write(page, "@agent send an e-mail: what's the weather in Chicago today?")
    card = thread(page).filter(has_text="Send email")
    expect(card).to_contain_text("to: ann@example.com")
    card.get_by_label("If you deny it").fill("Ann is on holiday")
    card.get_by_role("button", name="Deny").click()
    expect(card).to_contain_text("was denied by @alice")
    expect(card.get_by_role("button")).to_have_count(0)
    expect(thread(page).last).to_contain_text("Ann is on holiday")


def test_a_request_is_not_another_persons_to_approve(page: Page) -> None:
    write(page, "@agent send an e-mail: what's the weather in Chicago today?")
    card = thread(page).filter(has_text="Send email")
    expect(card.get_by_role("button", name="Approve")).to_be_visible()
    speak_as(page, "Bob Bailey")
    card.get_by_role("button", name="Approve").click()
    expect(thread(page).last).to_contain_text("you may not decide")
    speak_as(page, "Alice Archer")
    card.get_by_role("button", name="Approve").click()
    expect(card).to_contain_text("was approved by @alice")
    expect(thread(page).last).to_contain_text("I sent the e-mail")
