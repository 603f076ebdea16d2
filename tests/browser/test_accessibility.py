"""The page as axe-core judges it (github.com/dequelabs/axe-core): the rules of WCAG and of good practice."""

import itertools
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from simulator.simulation import Simulation
from simulator.slack import seed
from simulator.slack.workspace import Message

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (1280, 900, 400)

WIDE_ROW = "| " + " | ".join(f"a wide cell {number}" for number in range(12)) + " |"
TASKS = [
    {
        "type": "task_card",
        "task_id": status,
        "title": f"Looking up {status}",
        "status": status,
        "sources": [{"type": "url", "text": "a source", "url": "https://example.com/"}],
    }
    for status in ("complete", "error", "in_progress", "pending")
]
BLOCKS: list[dict[str, Any]] = [
    {
        "type": "markdown",
        "text": f"# Report\n\n**Bold** `code`, [a link](https://example.com/), <@{seed.ALICE.id}>\n\n> quoted"
        f"\n\n{WIDE_ROW}\n{'| --- ' * 12}|\n{WIDE_ROW}\n\n"
        f"```python\n{'a_long_line = ' * 30}1\n```\n\n- one\n- two",
    },
    {"type": "plan", "title": "Steps", "tasks": TASKS},
    {"type": "section", "text": {"type": "plain_text", "text": "to: ann\nbody: " + "word " * 300}},
    {
        "type": "input",
        "label": {"type": "plain_text", "text": "Why?"},
        "element": {"type": "plain_text_input", "action_id": "reason"},
    },
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "small words"}]},
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": action,
                "text": {"type": "plain_text", "text": action},
                **({"style": style} if style else {}),
            }
            for action, style in (("Retry", ""), ("Approve", "primary"), ("Deny", "danger"))
        ],
    },
]


@pytest.fixture(scope="module")
def root(simulation: Simulation) -> Message:
    """A thread with something of everything."""
    workspace, bot = simulation.slack.workspace, simulation.slack.installation.bot
    channel = workspace.channels[seed.WEATHER]
    root = workspace.post(channel, workspace.users[seed.ALICE.id], "<@U0AGENT01> report, please")
    files = [
        workspace.files.add(
            name=name, mimetype=kind, size=1, content=b"x", user_id=bot.id, team_id=bot.team_id
        )
        for name, kind in (("a.csv", "text/csv"), ("b.png", "image/png"))
    ]
    workspace.post(channel, bot, "x", blocks=BLOCKS, thread_ts=root.ts, files=[f.render() for f in files])
    workspace.set_status(channel, root.ts, "is thinking…", ["Looking around"])
    return root


def violations(page: Page) -> list[str]:
    page.add_style_tag(
        content="*, *::before, *::after { animation: none !important; transition: none !important }"
    )
    found = page.evaluate("async () => (await axe.run(document)).violations")
    return [f"{rule['id']}: {node['html'][:150]}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize(
    ("width", "scheme"), [*itertools.product(WIDTHS, ("light", "dark"))], ids=lambda value: str(value)
)
def test_axe_finds_nothing_to_object_to(
    browser: Browser, simulation: Simulation, root: Message, width: int, scheme: Literal["light", "dark"]
) -> None:
    # Without the page's own policy axe can be put into it.
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True
    )
    context.add_init_script(path=AXE)
    page = context.new_page()
    page.goto(simulation.url)
    page.wait_for_selector("body.ready")
    found = {"first view": violations(page)}
    page.get_by_role("button", name="Inspector", exact=True).click()
    page.locator(".entries summary").first.click()
    expect(page.locator(".facts pre").first).to_be_visible()
    found["inspector"] = violations(page)
    page.get_by_role("button", name="Close the inspector").click()
    page.get_by_role("button", name="Things to try").click()
    found["things to try"] = violations(page)
    page.get_by_role("button", name="Close the things to try").click()
    page.goto(f"{simulation.url}#weather-demo/{root.ts}")
    expect(page.locator("#thread-messages table")).to_be_visible()
    page.locator("#reply").fill("@")
    expect(page.get_by_role("option", name="agent")).to_be_visible()
    found["thread"] = violations(page)
    if page.get_by_role("button", name="Channels").is_visible():
        page.get_by_role("button", name="Close the thread").click()
        page.get_by_role("button", name="Channels").click()
        found["menu"] = violations(page)
    context.close()
    objections = [f"{view}: {one}" for view, ones in found.items() for one in ones]
    assert not objections, "\n".join(objections)
