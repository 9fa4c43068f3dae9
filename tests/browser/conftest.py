"""A real Chromium before a real server on the test database."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright
from pytest_django.live_server_helper import LiveServer

from core.models import Environment, Project, User
from registry.models import RubricVersion
from tests import traces
from tests.annotation.web.desk import Desk

NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = "No Chromium was found. To get one: apt-get install chromium"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        # Where the suite is the proof, nothing may be passed over.
        (pytest.fail if os.environ.get("WHETSTONE_CI") else pytest.skip)(HOW)
    # Playwright keeps a loop in this thread; Django would refuse the factories' queries beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def until(happened: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something on the server that no page shows."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.05)


@dataclass
class Window:
    """A person's window: its page, what the browser complained of; after `listen` all texts."""

    page: Page
    server: str
    complaints: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def go(self, address: str) -> None:
        self.page.goto(self.server + address)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def submit(self) -> None:
        """By key; waits for whatever comes next."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Control+Enter")

    def listen(self) -> None:
        """From now on `texts` holds the body of every answer, style sheets and scripts apart."""
        self.page.route("**/*", self._pass_on)

    def _pass_on(self, route: Route) -> None:
        answer = route.fetch()
        if route.request.resource_type not in {"stylesheet", "script", "image"}:
            self.texts.append(answer.body().decode("utf-8", "replace"))
        route.fulfill(response=answer)

    def hear(self, message: ConsoleMessage) -> None:
        # A refused submit is an answer of ours, and no fault of the page.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)


Open = Callable[[User | None], Window]


@pytest.fixture
def window(browser: Browser, live_server: LiveServer) -> Iterator[Open]:
    """`window(person)` opens one; at the end nothing may have gone wrong in any of them."""
    opened: list[Window] = []

    def open_window(person: User | None) -> Window:
        context = browser.new_context(
            viewport={"width": 1440, "height": 900}, reduced_motion="reduce"
        )
        if person is not None:
            client = Client()
            client.force_login(person)
            cookie = client.cookies["sessionid"]
            context.add_cookies(
                [{"name": "sessionid", "value": cookie.value, "url": live_server.url}]
            )
        made = Window(context.new_page(), live_server.url)
        made.page.on("console", made.hear)
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        opened.append(made)
        return made

    yield open_window
    complaints = [text for made in opened for text in made.complaints]
    for made in opened:
        made.page.context.close()
    assert complaints == []


@pytest.fixture
def desk(
    live_server: LiveServer,
    project: Project,
    environment: Environment,
    rubric_version: RubricVersion,
    ann: User,
    bo: User,
) -> Desk:
    """Ann and Bo are enrolled; nothing waits yet. `live_server` makes the data visible to it."""
    traces.enrol(project, ann, bo)
    return Desk(project, environment, rubric_version)
