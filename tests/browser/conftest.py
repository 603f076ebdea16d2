from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from simulator.simulation import Simulation
from tests.browser import chromium

expect.set_options(timeout=60_000)  # ms; a busy machine may need far more than the default five seconds


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.executable()
    if path is None:
        pytest.skip(chromium.HOW_TO_INSTALL)
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def simulation(browser: Browser) -> Iterator[Simulation]:  # noqa: ARG001 - without a browser it needn't start
    with Simulation() as simulation:
        assert simulation.wait_warm() == []
        yield simulation


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    """One for all tests: a new one takes a second."""
    return browser.new_context().new_page()


@pytest.fixture
def page(tab: Page, simulation: Simulation) -> Iterator[Page]:
    yield from first_view(tab, simulation.url)


def first_view(tab: Page, url: str) -> Iterator[Page]:
    """The page at its first view. Fails the test on any error in the console, the policy's among them."""
    errors: list[str] = []
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.set_viewport_size({"width": 1280, "height": 800})
    tab.goto(url, wait_until="commit")
    tab.evaluate("sessionStorage.clear()")
    tab.reload(wait_until="commit")
    tab.wait_for_selector("body.ready")
    yield tab
    assert errors == []
    tab.goto("about:blank")
