"""Labelling as people do it: with keys, for hours, on a network and a machine that fail."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from annotation.models import Draft, Label
from core.models import User
from routing import queue
from routing.models import Slot
from routing.models.queue import SlotState
from tests.annotation.web.desk import SECRETS, Desk
from tests.browser.conftest import Open, until

pytestmark = pytest.mark.browser

TEXT = "The 🦉 card costs 5 euros.\r\nIt comes tomorrow. Call <b>us</b>."


def held(person: User) -> Slot:
    return Slot.objects.get(holder=person, state=SlotState.LEASED)


def test_five_items_by_keys_alone(desk: Desk, window: Open, ann: User) -> None:
    desk.fill(5)
    at = window(ann)
    at.go(desk.url("queue"))
    with at.page.expect_navigation():
        at.press("r")
    for _ in range(2):
        at.press("a")
        at.submit()
    at.press("1", "e", "5", "q")
    at.submit()
    at.press("d", "3", "m")
    at.page.keyboard.type("No source, and a key like a or s is a letter here")
    at.submit()
    at.press("c")
    at.submit()
    expect(at.page.get_by_text("Nothing else waits for you now")).to_be_visible()
    labels = list(Label.objects.order_by("pk").prefetch_related("findings"))
    assert [label.verdict for label in labels] == [
        "acceptable", "acceptable", "defective", "defective", "cannot_judge",
    ]  # fmt: skip
    named = {each.mode: each.severity for each in labels[2].findings.all()}
    assert named == {"unsupported_claim": "critical", "instruction_not_followed": "minor"}
    assert labels[3].comment == "No source, and a key like a or s is a letter here"
    assert all(label.active_ms for label in labels)


def test_a_place_is_marked_by_keys_in_code_points(desk: Desk, window: Open, ann: User) -> None:
    desk.fill(1, output=TEXT)
    slot = desk.open_for(ann)
    at = window(ann)
    at.go(desk.url("workbench", slot.pk))
    at.press("v", ".", ".", "1", ".", ";", "1")
    assert at.page.locator('[data-mode="unsupported_claim"] [data-places] li').count() == 2
    at.submit()
    spans = Label.objects.get().findings.get().spans
    assert [span["text"] for span in spans] == [
        "It comes tomorrow.",
        "The 🦉 card costs 5 euros.\r\nIt comes tomorrow.",
    ]
    for span in spans:
        assert TEXT[span["start"] : span["end"]] == span["text"]


def test_a_place_is_marked_by_mouse(desk: Desk, window: Open, ann: User) -> None:
    desk.fill(1, output=TEXT)
    slot = desk.open_for(ann)
    at = window(ann)
    at.go(desk.url("workbench", slot.pk))
    at.page.get_by_label("Raw").check()
    at.page.locator("[data-raw-text]").dblclick(position={"x": 10, "y": 10})
    expect(at.page.locator("[data-picked]")).to_contain_text("The")
    at.page.locator('[data-mode="tone"] input[type=checkbox]').check()
    at.submit()
    [span] = Label.objects.get().findings.get().spans
    assert TEXT[span["start"] : span["end"]] == span["text"]
    assert span["text"].strip() == "The"


def test_a_draft_survives_a_closed_window(desk: Desk, window: Open, ann: User) -> None:
    desk.fill(1)
    slot = desk.open_for(ann)
    first = window(ann)
    first.go(desk.url("workbench", slot.pk))
    first.press("2", "w", "m")
    first.page.keyboard.type("half a thought")
    expect(first.page.locator("[data-saved]")).to_have_text("Draft saved")
    first.page.close()
    second = window(ann)
    second.go(desk.url("workbench", slot.pk))
    expect(second.page.locator("#comment")).to_have_value("half a thought")
    expect(second.page.locator('[value="contradicts_context"]')).to_be_checked()
    expect(second.page.locator("[data-saved]")).to_have_text("Draft restored")


def test_what_was_typed_last_is_kept_though_the_window_closes_at_once(
    desk: Desk, window: Open, ann: User
) -> None:
    desk.fill(1)
    slot = desk.open_for(ann)
    at = window(ann)
    at.go(desk.url("workbench", slot.pk))
    at.page.fill("#comment", "the last words")
    at.go(desk.url("queue"))
    # The browser sends it while the next page loads already.
    until(Draft.objects.filter(slot=slot).exists)
    at.go(desk.url("workbench", slot.pk))
    expect(at.page.locator("#comment")).to_have_value("the last words")


def test_a_stale_lease_keeps_the_draft_and_says_what_to_do(
    desk: Desk, window: Open, ann: User, bo: User
) -> None:
    desk.fill(2)
    slot = desk.open_for(ann)
    at = window(ann)
    at.go(desk.url("workbench", slot.pk))
    queue.release_slot(slot_id=slot.pk, token=slot.token, actor=ann)
    [taken] = queue.claim(project=desk.project, actor=bo)
    assert taken.slot_id == slot.pk
    at.press("3", "m")
    at.page.keyboard.type("an hour of thought")
    at.submit()
    expect(at.page.get_by_role("alert")).to_contain_text("Not saved as a label")
    expect(at.page.locator("#comment")).to_have_value("an hour of thought")
    assert Draft.objects.get(user=ann, slot=slot).content["comment"] == "an hour of thought"
    assert not Label.objects.exists()
    with at.page.expect_navigation():
        at.page.get_by_role("button", name="Go on to the next item").click()
    assert at.page.url.endswith(desk.url("workbench", held(ann).pk))


def test_an_open_page_hears_that_its_lease_is_gone(
    desk: Desk, window: Open, ann: User, bo: User
) -> None:
    desk.fill(1)
    slot = desk.open_for(ann)
    at = window(ann)
    at.go(desk.url("workbench", slot.pk))
    queue.release_slot(slot_id=slot.pk, token=slot.token, actor=ann)
    queue.claim(project=desk.project, actor=bo)
    at.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(at.page.locator("#stale")).to_contain_text("may be with somebody else")


def test_a_held_key_judges_one_item(desk: Desk, window: Open, ann: User) -> None:
    desk.fill(4)
    slot = desk.open_for(ann)
    at = window(ann)
    at.go(desk.url("workbench", slot.pk))
    at.press("a")
    with at.page.expect_navigation():
        at.page.keyboard.down("Control")
        for _ in range(6):
            at.page.keyboard.down("Enter")
    for _ in range(6):
        at.page.keyboard.down("Enter")
    at.page.keyboard.up("Enter")
    at.page.keyboard.up("Control")
    assert Label.objects.count() == 1
    assert at.page.url.endswith(desk.url("workbench", held(ann).pk))


def test_nothing_that_reaches_a_reviewer_holds_a_score(
    desk: Desk, window: Open, ann: User, bo: User
) -> None:
    item = desk.ask_both(bo, ann)
    first = desk.open_for(bo)
    said = desk.form(first, "defective", mode=["tone"], comment="BO-SAID-THIS")
    desk.post(bo, "submit", first, said)
    at = window(ann)
    at.listen()
    for name in ("home", "queue", "trace_list"):
        at.go(desk.url(name))
    at.go(desk.url("trace", item.trace_id))
    slot = desk.open_for(ann)
    at.go(desk.url("workbench", slot.pk))
    at.press("1", "m")
    at.page.keyboard.type("hm")
    expect(at.page.locator("[data-saved]")).to_have_text("Draft saved")
    assert len(at.texts) >= 6
    for secret in (*SECRETS, "BO-SAID-THIS"):
        assert [secret for text in at.texts if secret in text] == []


def test_a_trace_of_640_000_characters_stays_smooth(desk: Desk, window: Open, ann: User) -> None:
    desk.fill(1, output="A sentence of an agent that goes on and on.\n" * 14_600)
    slot = desk.open_for(ann)
    at = window(ann)
    at.go(desk.url("workbench", slot.pk) + "?all=1")
    at.press("d")
    slow = at.page.evaluate(
        """async () => {
          const pane = document.querySelector('.pane--output .pane__body');
          let worst = 0, last = performance.now();
          for (let i = 0; i < 20; i += 1) {
            pane.scrollTop += 4000;
            await new Promise(requestAnimationFrame);
            worst = Math.max(worst, performance.now() - last);
            last = performance.now();
          }
          return worst;
        }"""
    )
    assert slow < 1000
    assert (
        at.page.evaluate("document.querySelector('[data-raw-text]').textContent.length") > 640_000
    )
