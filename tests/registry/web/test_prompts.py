from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.access import SYSTEM
from core.models import AuditEntry, Environment, Project, User
from registry import release
from registry.models import PromptVersion
from registry.surfaces import weigh
from tests import factories
from tests.registry.facts import make_evidence


def address(version: PromptVersion, name: str) -> str:
    return reverse(name, args=[version.prompt.project.slug, version.prompt.slug])


def statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(url).status_code == 200
    return len(caught)


def form(version: PromptVersion, **changes: str) -> dict[str, str]:
    """The editor's form as a browser sends it."""
    fields = {
        "block-TOTAL_FORMS": str(len(version.blocks)),
        "block-INITIAL_FORMS": str(len(version.blocks)),
        "model": version.model,
        "params": '{"temperature": 0.2}',
        "note": "Shorter.",
        "from": str(version.number),
    }
    for place, block in enumerate(version.blocks):
        fields |= {
            f"block-{place}-{name}": block[name] for name in ("key", "role", "title", "text")
        }
        fields[f"block-{place}-ORDER"] = str(place + 1)
        fields |= {f"block-{place}-locked": "on"} if block["locked"] else {}
    return fields | changes


def test_an_empty_project_says_what_comes_here(client: Client, eve: User, project: Project) -> None:
    client.force_login(eve)
    shown = client.get(reverse("prompt_list", args=[project.slug])).content.decode()
    assert "No prompts yet" in shown


def test_the_list_shows_what_is_served_and_what_goes_wrong(
    client: Client, eve: User, ann: User, prompt_version: PromptVersion, environment: Environment
) -> None:
    release.go_live(version=prompt_version, environment=environment, reason="on", actor=SYSTEM)
    for _ in range(3):
        make_evidence(prompt_version)
    weigh(project=prompt_version.prompt.project, actor=SYSTEM)
    url = reverse("prompt_list", args=[prompt_version.prompt.project.slug])
    client.force_login(eve)
    shown = client.get(url).content.decode()
    assert "badge--state-live" in shown
    assert '<td class="num">1</td>' in shown
    client.force_login(ann)
    assert "Findings" not in client.get(url).content.decode()


@pytest.mark.parametrize("name", ["prompt_list", "prompt"])
def test_more_rows_cost_no_more_statements(
    client: Client, eve: User, prompt_version: PromptVersion, environment: Environment, name: str
) -> None:
    client.force_login(eve)
    project = prompt_version.prompt.project
    url = reverse(name, args=[project.slug, prompt_version.prompt.slug][: 1 + (name == "prompt")])
    release.go_live(version=prompt_version, environment=environment, reason="on", actor=SYSTEM)
    first = statements(client, url)
    for _ in range(3):
        version = factories.make_prompt(project)
        release.go_live(version=version, environment=environment, reason="on", actor=SYSTEM)
        factories.make_version(prompt_version)
    assert statements(client, url) == first <= 16


def test_two_versions_are_compared_line_by_line(
    client: Client, ann: User, prompt_version: PromptVersion
) -> None:
    factories.make_version(prompt_version, "Be brief.")
    client.force_login(ann)
    shown = client.get(address(prompt_version, "compare") + "?old=1&new=2").content.decode()
    assert "Version 1 to 2" in shown
    assert "Write short sentences." in shown
    assert "Be brief." in shown
    same = client.get(address(prompt_version, "compare") + "?old=1&new=1").content.decode()
    assert "They are the same" in same


@pytest.mark.parametrize("query", ["?old=99", "?new=99"])
def test_a_version_that_is_not_there_is_not_compared(
    client: Client, ann: User, prompt_version: PromptVersion, query: str
) -> None:
    client.force_login(ann)
    assert client.get(address(prompt_version, "compare") + query).status_code == 404


@pytest.mark.parametrize("query", ["", "?old=x&new=-1", "?new=99999999999999999999"])
def test_a_wrong_number_in_the_address_falls_back(
    client: Client, ann: User, prompt_version: PromptVersion, query: str
) -> None:
    client.force_login(ann)
    assert client.get(address(prompt_version, "compare") + query).status_code == 200


def test_a_version_is_saved_as_it_was_typed(
    client: Client, eve: User, prompt_version: PromptVersion
) -> None:
    client.force_login(eve)
    typed = form(prompt_version, **{"block-2-text": "Be brief.\r\nBe kind.\n"})
    answer = client.post(address(prompt_version, "new_version"), typed)
    assert answer.status_code == 302
    version = PromptVersion.objects.get(number=2)
    assert version.blocks[2]["text"] == "Be brief.\nBe kind.\n"
    assert version.blocks[1] == prompt_version.blocks[1]
    assert (version.created_by, version.note) == (eve, "Shorter.")
    assert AuditEntry.objects.get(verb="registry.version_added").actor == eve


def test_blocks_are_added_left_out_and_moved(
    client: Client, eve: User, prompt_version: PromptVersion
) -> None:
    client.force_login(eve)
    typed = form(
        prompt_version,
        **{
            "block-TOTAL_FORMS": "5",
            "block-2-DELETE": "on",
            "block-0-ORDER": "9",
            "block-4-key": "limits",
            "block-4-role": "system",
            "block-4-title": "Limits",
            "block-4-text": "No advice.",
            "block-4-ORDER": "2",
        },
    )
    assert client.post(address(prompt_version, "new_version"), typed).status_code == 302
    keys = [block["key"] for block in PromptVersion.objects.get(number=2).blocks]
    assert keys == ["guardrails", "limits", "question", "role"]


def test_another_block_keeps_what_was_typed(
    client: Client, eve: User, prompt_version: PromptVersion
) -> None:
    client.force_login(eve)
    typed = form(prompt_version, **{"block-2-text": "Half a thou", "add": "1"})
    shown = client.post(address(prompt_version, "new_version"), typed).content.decode()
    assert "Half a thou" in shown
    assert 'name="block-4-key"' in shown
    assert not PromptVersion.objects.filter(number=2).exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Nothing differs from version 1."),
        ({"block-2-key": "role"}, "Another block has this key."),
        ({"block-2-key": "No Key"}, "Begin with a small letter"),
        ({"block-2-title": ""}, "This field is required."),
        ({"block-2-role": "robot"}, "robot is not one of the available choices"),
        ({"params": "{"}, "Enter a valid JSON"),
        ({"params": "[1]"}, "Write an object, in braces."),
        ({"params": '{"seed": NaN}'}, "NaN and Infinity are not JSON."),
        ({"params": r'{"stop": "\u0000"}'}, "Null characters are not allowed."),
        ({"block-2-text": "a\x00b"}, "Null characters are not allowed."),
        ({"params": "[" * 100_000}, "This is nested too deeply."),
        ({"params": '{"seed": ' + "9" * 5_000 + "}"}, "A number has too many digits."),
        ({"params": r'{"stop": "\ud800"}'}, "Half of a surrogate pair is no character."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    client: Client,
    eve: User,
    prompt_version: PromptVersion,
    changes: dict[str, str],
    sentence: str,
) -> None:
    client.force_login(eve)
    typed = form(prompt_version, **changes)
    answer = client.post(address(prompt_version, "new_version"), typed)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert "Shorter." in answer.content.decode()
    assert not PromptVersion.objects.filter(number=2).exists()


def test_an_older_version_can_be_taken_up_again(
    client: Client, eve: User, prompt_version: PromptVersion
) -> None:
    factories.make_version(prompt_version, "Be brief.")
    client.force_login(eve)
    shown = client.get(address(prompt_version, "new_version") + "?from=1").content.decode()
    assert "Begins with version 1" in shown
    assert "Write short sentences." in shown


@pytest.mark.parametrize("total", ["999", "9" * 5_000])
def test_a_number_of_blocks_that_nobody_wrote_is_not_drawn(
    client: Client, eve: User, prompt_version: PromptVersion, total: str
) -> None:
    client.force_login(eve)
    typed = form(prompt_version, **{"block-TOTAL_FORMS": total, "add": "1"})
    shown = client.post(address(prompt_version, "new_version"), typed).content.decode()
    assert shown.count('-key"') < 500
