"""The page with an agent of the caller's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from simulator.own_agent import own_agent
from simulator.simulation import Simulation
from tests.browser.conftest import first_view

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser: Browser, tab: Page, tmp_path: Path) -> Iterator[Page]:  # noqa: ARG001 - see `simulation`
    file = tmp_path / "agent.py"
    file.write_text("def handler(payload):\n    return payload['prompt'].upper()\n")
    with Simulation(agent=own_agent(f"{file}:handler")) as simulation:
        yield from first_view(tab, simulation.url)


def test_the_page_says_whose_agent_it_is_and_offers_nothing_of_the_meteorologist(page: Page) -> None:
    introduction = page.locator("#introduction")
    expect(introduction).to_contain_text("The agent is yours: ")
    expect(introduction).to_contain_text("agent.py:handler")
    expect(introduction).not_to_contain_text("meteorologist")
    expect(page.locator("#suggestions-toggle")).to_be_hidden()
    page.fill("#composer", "@agent good morning")
    page.keyboard.press("Enter")
    expect(page.locator("#thread-messages .message").last).to_contain_text("GOOD MORNING")
