"""Every page for everybody: axe finds nothing in either theme, and nothing overflows on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from annotation import calibration
from core.access import SYSTEM
from core.models import User
from tests.annotation.web.desk import Desk
from tests.browser.conftest import Open, Window

pytestmark = pytest.mark.browser

PAGES = (
    "login", "home", "queue", "trace_list", "trace", "blind", "workbench", "fault",
    "calibration_list", "calibration", "vote", "rule", "report",
)  # fmt: skip
MARKDOWN = "# Fees\n\n**5 euros** a month\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode\n```"


def visit(page: str, desk: Desk, window: Open, people: dict[str, User]) -> Window:
    """The page, filled, before the one who sees most of it."""
    ann, lee = people["ann"], people["lee"]
    [first, second] = desk.fill(2, output=MARKDOWN)
    if page == "login":
        at = window(None)
        at.go("/sign-in/")
        return at
    slot = desk.open_for(ann)
    desk.post(ann, "submit", slot, desk.form(slot, "defective", mode=["tone"], comment="curt"))
    session = _session(desk, first, lee, ann, finished=page == "report")
    leads = page not in {"workbench", "fault", "queue", "vote", "blind"}
    at = window(lee if leads else ann)
    agenda = f"{desk.url('calibration', session.pk)}?item={session.items.get().pk}"
    if page in {"workbench", "fault"}:
        now = desk.open_for(ann)
        at.go(desk.url("workbench", now.pk))
        at.press("d", *(() if page == "fault" else ("1", "v", ".")))
        if page == "fault":
            at.submit()
        return at
    at.go(
        {
            "trace": desk.url("trace", slot.item.trace_id),
            "blind": desk.url("trace", second.trace_id),
            "calibration": desk.url("calibration", session.pk),
            "report": desk.url("calibration", session.pk),
            "vote": agenda,
            "rule": agenda,
        }.get(page)
        or desk.url(page)
    )
    return at


def _session(desk: Desk, item: object, lee: User, ann: User, *, finished: bool) -> object:
    session = calibration.open_session(
        project=desk.project, title="Tone", goal="One line", lead=lee, members=[ann],
        traces=[(item.trace, "hard")], actor=SYSTEM,
    )  # fmt: skip
    if finished:
        calibration.rule(
            item=session.items.get(), verdict="defective", modes=["tone"], reason="Rude.",
            rubric_version=desk.rubric_version, actor=lee,
        )  # fmt: skip
        calibration.close(session=session, actor=lee)
    return session


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_and_nothing_overflows(
    page: str, desk: Desk, window: Open, ann: User, lee: User
) -> None:
    at = visit(page, desk, window, {"ann": ann, "lee": lee})
    for width, theme in ((1440, "light"), (390, "dark")):
        at.page.set_viewport_size({"width": width, "height": 900})
        at.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        # The colours have changed when the next frame is drawn.
        at.page.evaluate("new Promise(r => requestAnimationFrame(() => setTimeout(r, 50)))")
        found = Axe().run(at.page).response["violations"]
        told = [(each["id"], [node["html"][:160] for node in each["nodes"]]) for each in found]
        assert told == [], (page, width, theme)
        wide = at.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, (page, width)


def test_the_sheet_of_keys_names_them(desk: Desk, window: Open, ann: User, lee: User) -> None:
    at = visit("workbench", desk, window, {"ann": ann, "lee": lee})
    at.press("Escape", "?")
    sheet = at.page.locator("#keys")
    assert sheet.is_visible()
    for text in ("Acceptable", "Unsupported claim", "Submit and next", "Raw text, to mark places"):
        assert sheet.get_by_text(text).first.is_visible()
