"""Who may open which page of this floor."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from core.access import SYSTEM
from core.models import AuditEntry, Environment, Project, User
from registry import release
from registry.models import PromptVersion, Release, SurfaceFinding
from registry.surfaces import weigh
from tests.registry.facts import make_evidence

READ = {"ann": 200, "lee": 200, "eve": 200, "ada": 200, "vi": 403, "cy": 404}
DECIDE = {"ann": 403, "lee": 200, "eve": 200, "ada": 200, "vi": 403, "cy": 404}
EDIT = {"ann": 403, "lee": 403, "eve": 200, "ada": 200, "vi": 403, "cy": 404}
PAGES = {
    "prompt_list": READ,
    "prompt": READ,
    "version": READ,
    "compare": READ,
    "releases": READ,
    "release": READ,
    "evidence": DECIDE,
    "new_version": EDIT,
}
DOORS = ("approve", "start_canary", "go_live", "run_gate", "promote", "roll_back", "dismiss")
DOORS += ("improve",)


@pytest.fixture
def people(ann: User, lee: User, eve: User, ada: User, vi: User, cy: User) -> dict[str, User]:
    return {"ann": ann, "lee": lee, "eve": eve, "ada": ada, "vi": vi, "cy": cy}


@pytest.fixture
def live(prompt_version: PromptVersion, environment: Environment) -> Release:
    return release.go_live(
        version=prompt_version, environment=environment, reason="first", actor=SYSTEM
    )


@pytest.fixture
def addresses(project: Project, live: Release) -> dict[str, str]:
    for _ in range(3):
        make_evidence(live.version)
    [finding] = weigh(project=project, actor=SYSTEM)
    prompt, slug = live.prompt.slug, project.slug
    version = [slug, prompt, live.version.number]
    given = {name: [slug] for name in ("prompt_list", "releases", "evidence")}
    given |= {name: [slug, prompt] for name in ("prompt", "compare", "new_version")}
    given |= dict.fromkeys(("version", "approve", "start_canary", "go_live", "run_gate"), version)
    given |= {name: [slug, live.pk] for name in ("release", "promote", "roll_back")}
    given |= {name: [slug, finding.pk] for name in ("dismiss", "improve")}
    return {name: reverse(name, args=args) for name, args in given.items()}


@pytest.mark.parametrize(
    ("page", "who", "status"),
    [(page, who, status) for page, row in PAGES.items() for who, status in row.items()],
)
def test_a_page_opens_for_whom_it_is_meant(
    client: Client,
    people: dict[str, User],
    addresses: dict[str, str],
    page: str,
    who: str,
    status: int,
) -> None:
    client.force_login(people[who])
    assert client.get(addresses[page]).status_code == status


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("who", "status"), [("ann", 403), ("lee", 403), ("vi", 403), ("cy", 404)])
def test_a_wrong_role_changes_nothing(
    client: Client,
    people: dict[str, User],
    addresses: dict[str, str],
    door: str,
    who: str,
    status: int,
) -> None:
    client.force_login(people[who])
    before = AuditEntry.objects.count()
    answer = client.post(addresses[door], {"reason": "because"})
    assert answer.status_code == status
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("door", DOORS)
def test_a_door_that_changes_something_is_not_opened_by_a_link(
    client: Client, eve: User, addresses: dict[str, str], door: str
) -> None:
    client.force_login(eve)
    assert client.get(addresses[door]).status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_nobody_gets_in_without_signing_in(
    client: Client, addresses: dict[str, str], page: str
) -> None:
    answer = client.get(addresses[page])
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("login"))


def test_what_is_of_another_project_is_not_found_under_ones_own(
    client: Client, elsewhere: Project, cy: User, live: Release
) -> None:
    client.force_login(cy)
    finding = SurfaceFinding.objects.create(
        project=live.prompt.project,
        mode="tone",
        lever="prompt",
        evidence_count=3,
        weight=3,
        opened_at=live.started_at,
    )
    foreign = [
        reverse("prompt", args=[elsewhere.slug, live.prompt.slug]),
        reverse("version", args=[elsewhere.slug, live.prompt.slug, 1]),
        reverse("release", args=[elsewhere.slug, live.pk]),
    ]
    assert [client.get(address).status_code for address in foreign] == [404, 404, 404]
    dismissal = reverse("dismiss", args=[elsewhere.slug, finding.pk])
    assert client.post(dismissal, {"reason": "mine"}).status_code == 404
