"""Every address of the house: who may open it, and what a stranger finds behind it.

The tables are the rule. An address without a row in them fails the first test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation import calibration
from core.access import SCOPES, SYSTEM, Role
from core.models import Environment, Membership, Project, User
from registry import release
from registry.models import PromptVersion, RubricVersion
from registry.surfaces import weigh
from routing import queue
from routing.models import AutoApproval, Reviewer, Slot
from tests import factories, traces
from tests.registry.facts import approve, make_evidence

EVERYONE = set(Role)
STAFF = {Role.LEAD, Role.ENGINEER, Role.ADMIN}
READERS = STAFF | {Role.REVIEWER}
JUDGES = {Role.REVIEWER, Role.LEAD}
LEADERS = {Role.LEAD, Role.ADMIN}
MAKERS = {Role.ENGINEER, Role.ADMIN}

# Who gets 200. The reviewer of these tests holds the slot: nobody else may open its workbench.
PAGES: Mapping[str, set[Role]] = {
    "home": EVERYONE,
    "queue": JUDGES | LEADERS,
    "workbench": {Role.REVIEWER},
    "trace_list": READERS,
    "trace": READERS,
    "calibration_list": READERS,
    "calibration": READERS,
    "sla_board": EVERYONE,
    "policy": STAFF,
    "prompt_list": READERS,
    "prompt": READERS,
    "compare": READERS,
    "version": READERS,
    "new_version": MAKERS,
    "releases": READERS,
    "release": READERS,
    "evidence": STAFF,
    "audit": {Role.ADMIN},
}
# Who is not refused; all of them only by POST.
DOORS: Mapping[str, set[Role]] = {
    "claim": JUDGES,
    "enrol": LEADERS,
    "pause_reviewer": LEADERS,
    "resume_reviewer": LEADERS,
    "submit": JUDGES,
    "hand_back": JUDGES,
    "draft": JUDGES,
    "heartbeat": JUDGES,
    "calibration_vote": JUDGES,
    "calibration_rule": LEADERS,
    "calibration_close": LEADERS,
    "grant": {Role.ADMIN},
    "revoke": {Role.ADMIN},
    "approve": MAKERS,
    "start_canary": MAKERS,
    "go_live": MAKERS,
    "run_gate": MAKERS,
    "promote": MAKERS,
    "roll_back": MAKERS,
    "improve": MAKERS,
    "dismiss": MAKERS,
    "audit_export": {Role.ADMIN},
}
# Method, and the scopes of a key that open it.
API: Mapping[str, tuple[str, set[str]]] = {
    "api_prompt": ("get", {"prompts", "admin"}),
    "api_prompt_plan": ("get", {"prompts", "admin"}),
    "api_traces": ("post", {"ingest", "admin"}),
    "api_trace_decision": ("get", {"read", "admin"}),
    "otlp_traces": ("post", {"ingest", "admin"}),
    # Says that nothing is kept; it is no secret, but a key is asked for.
    "otlp_logs": ("post", {"ingest", "admin"}),
}
# What names no project, and what anybody gets.
OPEN: Mapping[str, int] = {
    "enter": 302,
    "login": 200,
    "logout": 405,
    "healthz": 200,
    "readyz": 200,
    "metrics": 403,
    "otlp_metrics": 405,
}
ONLY_IN_DEVELOPMENT = {"style_guide"}

ODD = ("%00", "-1", "9223372036854775807", "9" * 25, "9" * 5_000, "%ff", "٣", "<script>")
ASKED = (
    "act", "actor", "after", "all", "before", "cause", "days", "from", "item", "live", "mode",
    "model", "new", "old", "prompt", "q", "request", "stage", "target", "target_id", "tier", "to",
    "action", "verb", "view",
)  # fmt: skip

World = dict[str, Any]


def addresses(
    patterns: list[Any], above: frozenset[str] = frozenset()
) -> Iterator[tuple[str, frozenset[str]]]:
    """Name and arguments of every address but those of the admin site."""
    for each in patterns:
        names = above | frozenset(each.pattern.converters)
        if isinstance(each, URLPattern):
            assert each.name, f"{each.pattern} has no name"
            yield each.name, names
        elif isinstance(each, URLResolver) and each.namespace != "admin":
            yield from addresses(each.url_patterns, names)


ARGUMENTS = dict(addresses(get_resolver().url_patterns))


@pytest.fixture
def people(ann: User, lee: User, eve: User, ada: User, vi: User) -> dict[Role, User]:
    return {
        Role.REVIEWER: ann, Role.LEAD: lee, Role.ENGINEER: eve, Role.ADMIN: ada, Role.VIEWER: vi,
    }  # fmt: skip


@pytest.fixture
def world(
    project: Project,
    environment: Environment,
    rubric_version: RubricVersion,
    prompt_version: PromptVersion,
    ann: User,
    lee: User,
) -> World:
    """A project with one of everything that an address can name; Ann holds the slot."""
    release.go_live(version=prompt_version, environment=environment, reason="first", actor=SYSTEM)
    second = factories.make_version(prompt_version)
    approve(second)
    canary = release.start_canary(
        version=second, environment=environment, share=0.1, reason="try", actor=SYSTEM
    )
    for _ in range(3):
        make_evidence(prompt_version)
    [finding] = weigh(project=project, actor=SYSTEM)
    traces.enrol(project, ann, lee)
    [item, *_] = traces.queued(environment, 3, **traces.RISKY, scores={"judge": 0.97})
    [lease] = queue.claim(project=project, actor=ann)
    session = calibration.open_session(
        project=project, title="Tone", goal="", lead=lee, members=[ann, lee],
        traces=[(item.trace, "hard")], actor=SYSTEM,
    )  # fmt: skip
    traces.let_pass(project)
    return {
        "slug": project.slug, "prompt": prompt_version.prompt.slug, "number": second.number,
        "release": canary.pk, "finding": finding.pk, "slot": lease.slot_id,
        "trace": item.trace_id, "session": session.pk, "item": session.items.get().pk,
        "reviewer": Reviewer.objects.get(user=ann).pk, "grant": AutoApproval.objects.get().pk,
        "trace_id": item.trace.trace_id,
    }  # fmt: skip


def url(name: str, world: World, **changes: object) -> str:
    known = world | changes
    if name.startswith("api_prompt"):
        known |= {"slug": world["prompt"]}
    return reverse(name, kwargs={each: known[each] for each in ARGUMENTS[name]})


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def rows() -> dict[str, Any]:
    """How many rows every table has, and how the slots stand."""
    models = [each for each in apps.get_models() if each._meta.app_label != "sessions"]
    counts: dict[str, Any] = {each._meta.label: each._default_manager.count() for each in models}
    return counts | {"slots": sorted(Slot.objects.values_list("pk", "state", "token"))}


@contextmanager
def undone() -> Iterator[None]:
    """A savepoint by hand: inside `atomic` no command may open its transaction."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


def test_every_address_has_a_row() -> None:
    named = {*PAGES, *DOORS, *API, *OPEN}
    assert set(ARGUMENTS) - ONLY_IN_DEVELOPMENT == named
    of_a_project = {name for name, names in ARGUMENTS.items() if "slug" in names}
    assert of_a_project == {*PAGES, *DOORS, "api_prompt", "api_prompt_plan"}


@pytest.mark.parametrize("role", Role)
def test_a_page_opens_for_whom_the_table_says_and_changes_nothing(
    world: World, people: dict[Role, User], role: Role
) -> None:
    client = signed_in(people[role])
    before = rows()
    found = {name: client.get(url(name, world)).status_code for name in PAGES}
    assert {name for name, code in found.items() if code == 200} == {
        name for name, roles in PAGES.items() if role in roles
    }
    # A reviewer who does not hold the slot is sent to the queue.
    assert set(found.values()) <= {200, 403} or found["workbench"] == 302
    assert rows() == before


@pytest.mark.parametrize("role", Role)
def test_what_changes_something_is_no_link(
    world: World, people: dict[Role, User], role: Role
) -> None:
    client = signed_in(people[role])
    before = rows()
    assert {client.get(url(name, world)).status_code for name in DOORS} == {405}
    assert {client.head(url(name, world)).status_code for name in DOORS} == {405}
    assert rows() == before


@pytest.mark.parametrize("role", Role)
def test_an_empty_form_is_refused_to_the_wrong_role_and_told_to_the_right_one(
    world: World, people: dict[Role, User], role: Role
) -> None:
    client = signed_in(people[role])
    found: dict[str, int] = {}
    changed: set[str] = set()
    before = rows()
    for name in (*DOORS, *PAGES):
        with undone():
            found[name] = client.post(url(name, world)).status_code
            changed |= {name} if rows() != before else set()
    refused = {name for name in DOORS if found[name] == 403}
    assert refused == {name for name, roles in DOORS.items() if role not in roles}
    assert max(found.values()) < 500
    assert not changed & refused
    # Only the editor is a page that takes a form.
    assert {name for name in PAGES if found[name] not in {403, 405}} <= {"new_version"}


def test_a_stranger_finds_nothing(world: World, cy: User) -> None:
    client = signed_in(cy)
    before = rows()
    assert {name: client.get(url(name, world)).status_code for name in PAGES} == dict.fromkeys(
        PAGES, 404
    )
    assert {name: client.post(url(name, world)).status_code for name in DOORS} == dict.fromkeys(
        DOORS, 404
    )
    assert rows() == before


def test_what_is_of_another_project_is_not_found_under_the_own_one(
    world: World, elsewhere: Project, cy: User
) -> None:
    """There Cy is the admin and then a lead: between them they may open every door."""
    factories.make_rubric(elsewhere)
    traces.enrol(elsewhere, cy)
    client = signed_in(cy)
    naming = [name for name in (*PAGES, *DOORS) if ARGUMENTS[name] > {"slug"}]
    assert len(naming) > 25
    rule = {**PAGES, **DOORS, "workbench": JUDGES}
    before = rows()
    for role in (Role.ADMIN, Role.LEAD):
        Membership.objects.filter(user=cy).update(role=role)
        for name in naming:
            send = client.get if name in PAGES else client.post
            code = send(url(name, world, slug=elsewhere.slug)).status_code
            assert code == (404 if role in rule[name] else 403), name
    assert rows() == before


def test_who_is_not_signed_in_is_asked_to(world: World) -> None:
    client = Client()
    answers = [client.get(url(name, world)) for name in PAGES]
    answers += [client.post(url(name, world)) for name in DOORS]
    assert {each.status_code for each in answers} == {302}
    assert all(each["Location"].startswith(reverse("login")) for each in answers)


def test_what_names_no_project_is_the_same_for_all(world: World, cy: User) -> None:
    client = Client()
    found = {name: client.get(reverse(name)).status_code for name in OPEN}
    assert found == OPEN
    assert signed_in(cy).get(reverse("enter"))["Location"] == reverse(
        "home", args=[Membership.objects.get(user=cy).project.slug]
    )


def ask(client: Client, name: str, world: World, key: str) -> Any:
    """As an application does; what is sent is empty."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    if API[name][0] == "get":
        return client.get(url(name, world), headers=headers)
    return client.post(
        url(name, world), data="{}", content_type="application/json", headers=headers
    )


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_opens_what_its_scope_says(
    world: World, environment: Environment, scope: str
) -> None:
    key = factories.make_key(environment, [scope]).text
    found = {name: ask(Client(), name, world, key).status_code for name in API}
    refused = {name for name, code in found.items() if code == 403}
    may = {name for name, (_, scopes) in API.items() if scope in scopes}
    # An empty trace is refused for what it lacks before anybody asks who may send one.
    assert refused == {*API} - may - {"api_traces"}
    assert found["api_traces"] == 400
    assert max(found.values()) < 500


def test_a_foreign_key_and_none_find_nothing(world: World, elsewhere: Project) -> None:
    foreign = factories.make_key(factories.make_environment(elsewhere), ["admin"]).text
    for name, (method, _) in API.items():
        assert ask(Client(), name, world, "").status_code == 401, name
        assert ask(Client(), name, world, "wsk_production_0_0").status_code == 401, name
        expected = {404} if method == "get" else {200, 400}
        assert ask(Client(), name, world, foreign).status_code in expected, name


def test_a_person_has_pages_and_not_the_api(world: World, eve: User, cy: User) -> None:
    for person in (eve, cy):
        client = signed_in(person)
        assert {ask(client, name, world, "").status_code for name in API} <= {400, 401, 403}


@pytest.mark.parametrize("role", [Role.ENGINEER, Role.REVIEWER, Role.ADMIN])
def test_no_question_in_an_address_is_a_fault(
    world: World, people: dict[Role, User], role: Role
) -> None:
    client = signed_in(people[role])
    pages = [name for name, roles in PAGES.items() if role in roles]
    for odd in ODD:
        query = "&".join(f"{name}={odd}" for name in ASKED)
        found = {name: client.get(f"{url(name, world)}?{query}").status_code for name in pages}
        assert {code for name, code in found.items() if name not in {"compare", "new_version"}} == {
            200
        }
        assert set(found.values()) <= {200, 404}


@pytest.mark.parametrize("role", Role)
def test_the_admin_site_is_for_staff_of_the_server(people: dict[Role, User], role: Role) -> None:
    client = signed_in(people[role])
    for model in admin.site._registry:
        list_of = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answer = client.get(list_of)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (
            302,
            reverse("admin:login"),
        )
