"""What every answer shares: who may keep it, and the id under which it is found again."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from core.models import Project, User
from core.web import RequestIdMiddleware


@pytest.mark.parametrize("path", ["/p/{slug}/", "/p/{slug}/queue/", "/p/no-such-project/"])
def test_a_page_of_a_signed_in_person_is_not_stored(
    client: Client, project: Project, lee: User, path: str
) -> None:
    client.force_login(lee)
    answer = client.get(path.format(slug=project.slug))
    assert answer["Content-Type"].startswith("text/html")
    assert "no-store" in answer["Cache-Control"]


def test_only_pages_and_only_of_signed_in_people_are_kept_from_caches(
    client: Client, project: Project, lee: User
) -> None:
    assert "Cache-Control" not in client.get("/no-such-page/")
    client.force_login(lee)
    assert "Cache-Control" not in client.get(f"/api/v1/prompts/none?project={project.slug}")
    sheet = client.get("/static/css/workbench.css")
    sheet.close()
    assert (sheet.status_code, "no-store" in sheet.get("Cache-Control", "")) == (200, False)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("req-1", True), ("req-1\n", False), ("a b", False), ("x" * 65, False), ("", False)],
)
def test_only_a_sane_request_id_is_taken(given: str, kept: bool) -> None:
    request = RequestFactory().get("/", headers={"X-Request-ID": given})
    answer = RequestIdMiddleware(lambda request: HttpResponse())(request)
    assert (answer["X-Request-ID"] == given) is kept
