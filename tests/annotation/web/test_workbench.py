from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from annotation import calibration, labels
from annotation.models import Draft, Label
from core import clock
from core.access import SYSTEM
from core.models import Project, User
from registry import rubrics
from routing import queue
from routing.models import Slot
from routing.models.queue import SlotState
from tests.annotation.web.desk import Desk

TEXT = "Fee 🦉 is 5 euros.\r\nCall now."


def test_claim_opens_the_workbench(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(output=TEXT)
    slot = desk.open(client, ann)
    page = client.get(desk.url("workbench", slot.pk))
    assert page.status_code == 200
    assert "How do I block my card?" in page.content.decode()
    assert f'name="token" value="{slot.token}"' in page.content.decode()


def test_claim_goes_on_with_what_is_held(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(3)
    slot = desk.open(client, ann)
    answer = client.post(desk.url("claim"))
    assert answer["Location"] == desk.url("workbench", slot.pk)
    assert Slot.objects.filter(holder=ann).count() == 1


def test_nothing_waits(desk: Desk, client: Client, ann: User) -> None:
    client.force_login(ann)
    answer = client.post(desk.url("claim"), follow=True)
    assert b"Nothing else waits for you now" in answer.content


def test_only_the_holder_opens_it(desk: Desk, client: Client, ann: User, bo: User) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    client.force_login(bo)
    answer = client.get(desk.url("workbench", slot.pk))
    assert answer.status_code == 302
    assert answer["Location"] == desk.url("queue")


def test_submit_saves_all_and_shows_the_next(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(2, output=TEXT)
    slot = desk.open(client, ann)
    answer = client.post(
        desk.url("submit", slot.pk),
        desk.form(
            slot, "defective", mode=["tone", "incomplete"], comment="curt",
            corrected_output="It is free.", active_ms="31000",
            **{"severity-tone": "critical", "cause-tone": "policy", "span-tone": ["4-8", "19-23"]},
        ),
    )  # fmt: skip
    following = Slot.objects.get(holder=ann, state=SlotState.LEASED)
    assert answer["Location"] == desk.url("workbench", following.pk)
    label = Label.objects.get()
    assert (label.verdict, label.comment, label.active_ms) == ("defective", "curt", 31000)
    assert (label.corrected_output, label.source) == ("It is free.", "page")
    tone, incomplete = label.findings.order_by("-mode")
    assert (tone.mode, tone.severity, tone.cause) == ("tone", "critical", "policy")
    assert tone.spans == [
        {"target": "output", "start": 4, "end": 8, "text": "🦉 is"},
        {"target": "output", "start": 19, "end": 23, "text": "Call"},
    ]
    assert (incomplete.mode, incomplete.spans) == ("incomplete", [])


def test_a_long_corrected_output_is_kept(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    # Only as long as that is the form no longer than its text; the test's client sends it so.
    assert b'enctype="multipart/form-data"' in client.get(desk.url("workbench", slot.pk)).content
    text = "🦉" * 640_000
    form = desk.form(slot, "defective", mode=["tone"], corrected_output=text)
    for door in ("draft", "submit"):
        assert client.post(desk.url(door, slot.pk), form).status_code < 400
    assert Label.objects.get().corrected_output == text


def test_after_the_last_item_the_queue_says_so(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    answer = client.post(desk.url("submit", slot.pk), desk.form(slot), follow=True)
    assert b"All done. Nothing else waits for you now." in answer.content


def test_a_faulty_form_comes_back_with_all_that_was_written(
    desk: Desk, client: Client, ann: User
) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    answer = client.post(
        desk.url("submit", slot.pk), desk.form(slot, "defective", comment="I thought so")
    )
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "Name at least one failure mode" in page
    assert "I thought so" in page
    assert not Label.objects.exists()
    assert Slot.objects.get(pk=slot.pk).state == SlotState.LEASED


@pytest.mark.parametrize(
    ("field", "value"),
    [("span-tone", "9-4"), ("span-tone", "0-99999"), ("span-tone", "x"), ("mode", "no such mode"),
     ("verdict", "perfect"), ("severity-tone", "huge"), ("cause-tone", "moon"),
     ("rating-clarity", "6"), ("rating-clarity", "a")],
)  # fmt: skip
def test_what_the_rubric_does_not_know_is_refused(
    desk: Desk, client: Client, ann: User, field: str, value: str
) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    form = {**desk.form(slot, "defective", mode=["tone"]), field: value}
    answer = client.post(desk.url("submit", slot.pk), form)
    assert answer.status_code == 400
    assert b"field__error" in answer.content
    assert not Label.objects.exists()


def test_hidden_findings_of_an_acceptable_output_do_not_count(
    desk: Desk, client: Client, ann: User
) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    client.post(desk.url("submit", slot.pk), desk.form(slot, "acceptable", mode=["tone"]))
    assert not Label.objects.get().findings.exists()


def test_a_stale_lease_keeps_the_draft_and_says_what_to_do(
    desk: Desk, client: Client, ann: User, bo: User
) -> None:
    desk.fill(1)
    Slot.objects.exclude(pk=Slot.objects.order_by("pk").values("pk")[:1]).delete()
    slot = desk.open(client, ann)
    with clock.at(clock.now() + timedelta(hours=1)):
        [taken] = queue.claim(project=desk.project, actor=bo)
    assert taken.slot_id == slot.pk
    answer = client.post(
        desk.url("submit", slot.pk),
        desk.form(slot, "defective", mode=["tone"], comment="an hour of thought"),
    )
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Not saved as a label" in page
    assert "Go on to the next item" in page
    assert "an hour of thought" in page
    draft = Draft.objects.get(user=ann)
    assert draft.content["comment"] == "an hour of thought"
    assert not Label.objects.exists()
    assert "an hour of thought" in client.get(desk.url("queue")).content.decode()


def test_a_stale_lease_keeps_the_draft_of_who_has_voted_in_a_calibration(
    desk: Desk, client: Client, ann: User, lee: User
) -> None:
    [item] = desk.fill(1)
    session = calibration.open_session(
        project=desk.project, title="Tone", goal="", lead=lee, members=[ann],
        traces=[(item.trace, "hard")], actor=SYSTEM,
    )  # fmt: skip
    labels.vote(
        item=session.items.get(), scorecard=rubrics.Scorecard("acceptable"),
        rubric_version=desk.rubric_version, source="page", actor=ann,
    )  # fmt: skip
    slot = desk.open(client, ann)
    form = {**desk.form(slot, comment="an hour of thought"), "token": "99"}
    assert client.post(desk.url("submit", slot.pk), form).status_code == 409
    assert Draft.objects.get(user=ann).content["comment"] == "an hour of thought"


def test_a_submit_whose_answer_was_lost_goes_on(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(2)
    slot = desk.open(client, ann)
    client.post(desk.url("submit", slot.pk), desk.form(slot))
    answer = client.post(desk.url("submit", slot.pk), desk.form(slot))
    assert answer.status_code == 302
    assert Label.objects.count() == 1


def test_a_draft_is_kept_and_restored(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(1, output=TEXT)
    slot = desk.open(client, ann)
    form = desk.form(slot, "acceptable", comment="hm", mode=["tone"], **{"span-tone": "4-8"})
    assert client.post(desk.url("draft", slot.pk), form).status_code == 204
    page = client.get(desk.url("workbench", slot.pk)).content.decode()
    assert "Draft restored" in page
    assert ">hm</textarea>" in page
    assert 'name="span-tone" value="4-8"' in page
    assert 'value="4200"' in page


def test_a_heartbeat_keeps_the_lease(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    later = clock.now() + timedelta(minutes=10)
    with clock.at(later):
        answer = client.post(desk.url("heartbeat", slot.pk), {"token": slot.token})
    assert answer.status_code == 204
    until = Slot.objects.get(pk=slot.pk).until
    assert until is not None
    assert until > later


def test_a_heartbeat_of_a_lost_lease_says_so(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    queue.release_slot(slot_id=slot.pk, token=slot.token, actor=ann)
    answer = client.post(desk.url("heartbeat", slot.pk), {"token": slot.token})
    assert answer.status_code == 409
    assert b"lease" in answer.content


def test_skip_gives_another_item_and_leaves_this_one_open(
    desk: Desk, client: Client, ann: User
) -> None:
    desk.fill(2)
    slot = desk.open(client, ann)
    client.post(desk.url("submit", slot.pk), {"token": slot.token, "skip": "1"})
    following = Slot.objects.get(holder=ann, state=SlotState.LEASED)
    assert following.item_id != slot.item_id
    assert Slot.objects.get(pk=slot.pk).state == SlotState.OPEN
    assert not Label.objects.exists()


def skip(desk: Desk, client: Client, person: User) -> int:
    """The id of the item that the person held and skipped."""
    held = Slot.objects.get(holder=person, state=SlotState.LEASED)
    client.post(desk.url("submit", held.pk), {"token": held.token, "skip": "1"})
    return held.item_id


def test_what_was_skipped_does_not_come_round_again_by_itself(
    desk: Desk, client: Client, ann: User
) -> None:
    items = desk.fill(3)
    desk.open(client, ann)
    assert {skip(desk, client, ann) for _ in items} == {item.pk for item in items}
    assert not Slot.objects.filter(holder=ann).exists()


def test_what_was_skipped_comes_again_to_who_asks_and_finds_nothing_else(
    desk: Desk, client: Client, ann: User
) -> None:
    desk.fill(2)
    desk.open(client, ann)
    skip(desk, client, ann)
    kept = Slot.objects.get(holder=ann, state=SlotState.LEASED)
    client.post(desk.url("submit", kept.pk), desk.form(kept))
    assert not Slot.objects.filter(holder=ann, state=SlotState.LEASED).exists()
    assert desk.open(client, ann).item_id != kept.item_id


def test_a_skip_with_an_old_token_takes_nothing(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(2)
    slot = desk.open(client, ann)
    client.post(desk.url("submit", slot.pk), {"token": slot.token + 1, "skip": "1"})
    assert Slot.objects.get(holder=ann, state=SlotState.LEASED) == slot


def test_hand_back_opens_the_slot_to_others(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(1)
    slot = desk.open(client, ann)
    answer = client.post(desk.url("hand_back", slot.pk), {"token": slot.token})
    assert answer["Location"] == desk.url("queue")
    assert Slot.objects.get(pk=slot.pk).state == SlotState.OPEN


def test_a_long_output_is_shown_in_part_until_asked_for(
    desk: Desk, client: Client, ann: User
) -> None:
    desk.fill(1, output="word " * 60_000 + "the very end")
    slot = desk.open(client, ann)
    page = client.get(desk.url("workbench", slot.pk)).content.decode()
    assert "Show everything" in page
    assert "the very end" not in page
    assert len(page) < 300_000
    whole = client.get(f"{desk.url('workbench', slot.pk)}?all=1").content.decode()
    assert "the very end" in whole


def test_hostile_output_stays_text(desk: Desk, client: Client, ann: User) -> None:
    desk.fill(
        1,
        output="<script>alert(1)</script> ![x](https://evil.example/p.png)",
        messages=[{"role": "user", "content": "<img src=x onerror=alert(2)>"}],
        documents=[{"id": "d", "title": "<b>t</b>", "text": "</div><script>x</script>"}],
    )
    slot = desk.open(client, ann)
    page = client.get(desk.url("workbench", slot.pk)).content.decode()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<b>t</b>" not in page
    assert 'src="https://evil' not in page


def test_a_project_without_a_rubric_says_so(
    project: Project, desk: Desk, client: Client, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.rubrics.current", lambda project: None)
    desk.fill(1)
    client.force_login(ann)
    answer = client.post(desk.url("claim"), follow=True)
    assert b"no rubric yet" in answer.content
    assert not Slot.objects.filter(state=SlotState.LEASED).exists()


def test_ratings_of_the_rubric_are_asked_and_kept(desk: Desk, client: Client, ann: User) -> None:
    criteria = [rubrics.Criterion("clarity", "Clarity", ("a", "b", "c", "d", "e"))]
    rubrics.publish_version(
        rubric=desk.rubric_version.rubric, modes=rubrics.STARTER, criteria=criteria, actor=SYSTEM
    )
    desk.fill(1)
    slot = desk.open(client, ann)
    assert b'name="rating-clarity"' in client.get(desk.url("workbench", slot.pk)).content
    client.post(desk.url("submit", slot.pk), desk.form(slot, **{"rating-clarity": "4"}))
    assert Label.objects.get().ratings == {"clarity": 4}


@pytest.mark.parametrize(
    "more", [{"mode": ["tone"], "span-tone": f"1-{'9' * 5_000}"}, {"rating-tone": "9" * 5_000}]
)
def test_a_number_of_thousands_of_digits_is_a_fault_of_the_form(
    desk: Desk, client: Client, ann: User, more: dict[str, object]
) -> None:
    desk.fill(1, output=TEXT)
    slot = desk.open(client, ann)
    for door in ("submit", "draft"):
        answer = client.post(desk.url(door, slot.pk), desk.form(slot, "defective", **more))
        assert answer.status_code == 400


def test_who_gives_nothing_back_gets_nothing(
    desk: Desk, client: Client, ann: User, bo: User
) -> None:
    desk.fill(3)
    slot = desk.open(client, ann)
    client.force_login(bo)
    for _ in range(2):
        answer = client.post(desk.url("submit", slot.pk), {"skip": "1", "token": slot.token})
        assert answer["Location"] == desk.url("queue")
    assert not Slot.objects.filter(holder=bo).exists()


def test_a_submit_sent_again_does_not_take_another_item(
    desk: Desk, client: Client, ann: User
) -> None:
    desk.fill(4)
    slot = desk.open(client, ann)
    answers = [client.post(desk.url("submit", slot.pk), desk.form(slot)) for _ in range(3)]
    assert len({each["Location"] for each in answers}) == 1
    assert Slot.objects.filter(holder=ann, state=SlotState.LEASED).count() == 1
    assert Label.objects.count() == 1
