from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.test import Client

from core.access import SYSTEM
from core.models import Environment, User
from registry import release
from registry.models import PromptVersion, RubricVersion
from registry.surfaces import weigh
from tests.registry.facts import make_evidence

MODELS = sorted(
    model._meta.model_name for model in site._registry if model._meta.app_label == "registry"
)


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", name="Root"))
    return client


@pytest.fixture
def rows(
    prompt_version: PromptVersion, rubric_version: RubricVersion, environment: Environment
) -> None:
    release.go_live(version=prompt_version, environment=environment, reason="x", actor=SYSTEM)
    for _ in range(3):
        make_evidence(prompt_version)
    weigh(project=environment.project, actor=SYSTEM)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.usefixtures("rows")
def test_every_table_can_be_looked_at_and_not_changed(operator: Client, name: str) -> None:
    assert operator.get(f"/admin/registry/{name}/").status_code == 200
    assert operator.get(f"/admin/registry/{name}/add/").status_code == 403
    model = apps.get_model("registry", name)
    for row in model._default_manager.all()[:1]:
        page = f"/admin/registry/{name}/{row.pk}/"
        assert operator.get(f"{page}change/").status_code == 200
        assert operator.post(f"{page}delete/", {"post": "yes"}).status_code == 403
