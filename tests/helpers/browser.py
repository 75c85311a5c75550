"""Pages in a real browser: Debian's Chromium, driven by Playwright.

The browser lives as long as the tests of one file. While it does, Playwright holds the event loop
of its thread, and what calls `asyncio.run`, as Snakemake does, fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # most workers never open a page
    from playwright.sync_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a window; tests are skipped where there is none."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox wants a user that is not root.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page; whatever it writes to the console or throws until the end fails the test."""
    context = browser.new_context()
    context.set_default_timeout(10_000)  # milliseconds for what is missing to turn up
    opened = context.new_page()
    watched = watch(opened)
    yield opened
    context.close()
    assert not watched, "\n".join(watched)


def watch(page: Page) -> list[str]:
    """What the page complains of from now on: errors, warnings, and files it could not get.

    For pages that a test opens itself, as by `new_context` with another theme, size or none of
    the scripts; `page` is watched already.
    """
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(f"thrown: {error}"))
    page.on(
        "requestfailed",
        lambda request: (
            heard.append(f"not to be had: {request.url}")
            if request.failure != "net::ERR_ABORTED"  # the page itself wanted it no more
            else None
        ),
    )
    page.on(
        "console",
        lambda message: (
            heard.append(f"{message.type}: {message.text}")
            if message.type in {"error", "warning"}
            else None
        ),
    )
    return heard
