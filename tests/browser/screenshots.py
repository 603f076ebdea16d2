"""Pictures of the page: `python -m tests.browser.screenshots docs/` writes demo.png and approval.png, and
stream.png when `--style stream` is given. All are the README's.

With `--all` also the first view, the inspector, a narrow window and the dark colours: to look at after a
change.
The picture is best where the font Inter is installed (`apt-get install fonts-inter`).
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from simulator.simulation import Simulation
from tests.browser import chromium

WIDE = ViewportSize(width=1280, height=800)
NARROW = ViewportSize(width=400, height=800)
QUESTION = "@agent what's the weather in Chicago today?"
FOLLOW_UP = "@agent and in Lima?"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="every view, not only the README's")
    parser.add_argument("--style", choices=("edit", "stream"), default="edit", help="of the replies")
    options = parser.parse_args(arguments)
    path = chromium.executable()
    if path is None:
        parser.error(chromium.HOW_TO_INSTALL)
    options.folder.mkdir(parents=True, exist_ok=True)
    with Simulation(style=options.style) as simulation, sync_playwright() as playwright:
        simulation.wait_warm()
        browser = chromium.launch(playwright, path)
        if options.style == "stream":
            streamed(browser, simulation.url, options.folder)
        else:
            demo(browser, simulation.url, options.folder, everything=options.all)
            approval(browser, simulation.url, options.folder)
        browser.close()


def streamed(browser: Browser, url: str, folder: Path) -> None:
    page = browser.new_page(viewport=WIDE, locale="en-US")
    page.goto(url)
    ask(page, "#composer", "@agent chart for Chicago")
    expect(page.locator("#thread-messages img").last).to_be_visible(timeout=20_000)
    expect(page.locator("#thread-messages")).to_contain_text("the numbers behind it", timeout=20_000)
    page.locator("#thread-messages summary").click()  # the steps, which are folded up by then
    shoot(page, folder / "stream.png")


def demo(browser: Browser, url: str, folder: Path, *, everything: bool) -> None:
    page = browser.new_page(viewport=WIDE, locale="en-US")
    page.goto(url)
    if everything:
        shoot(page, folder / "first-view.png")
    ask(page, "#composer", QUESTION)
    if everything:
        expect(page.locator("#thread-messages .waiting")).to_be_visible()
        shoot(page, folder / "processing.png")
    expect(page.locator("#thread-messages .message").nth(1)).to_contain_text("Wind:", timeout=20_000)
    ask(page, "#reply", FOLLOW_UP)
    expect(page.locator("#thread-messages .message").nth(3)).to_contain_text("Wind:", timeout=20_000)
    shoot(page, folder / "demo.png")
    if everything:
        page.get_by_role("button", name="Inspector", exact=True).click()
        shoot(page, folder / "inspector.png")
        page.get_by_role("button", name="Close the inspector").click()
        page.get_by_role("button", name="Things to try").click()
        shoot(page, folder / "things-to-try.png")
        other_looks(browser, page.url, folder)


def approval(browser: Browser, url: str, folder: Path) -> None:
    page = browser.new_page(viewport=WIDE, locale="en-US")
    page.goto(url)
    ask(page, "#composer", "@agent send an e-mail: what's the weather in Chicago today?")
    expect(page.get_by_role("button", name="Approve")).to_be_visible(timeout=20_000)
    shoot(page, folder / "approval.png")


def other_looks(browser: Browser, url: str, folder: Path) -> None:
    narrow = browser.new_page(viewport=NARROW, locale="en-US")
    narrow.goto(url)
    shoot(narrow, folder / "narrow.png")
    narrow.get_by_role("button", name="3 replies").click()
    shoot(narrow, folder / "narrow-thread.png")
    dark = browser.new_page(viewport=WIDE, locale="en-US", color_scheme="dark")
    dark.goto(url)
    dark.get_by_role("button", name="3 replies").click()
    ask(dark, "#composer", "@agent the forecast for Tokyo as a table, with code")
    expect(dark.locator("#thread-messages table")).to_be_visible(timeout=20_000)
    shoot(dark, folder / "dark.png")


def ask(page: Page, field: str, text: str) -> None:
    page.locator(field).fill(text)
    page.locator(field).press("Enter")


def shoot(page: Page, path: Path) -> None:
    page.wait_for_selector("body.ready")
    page.wait_for_timeout(300)  # fonts, transitions
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
