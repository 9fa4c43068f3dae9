"""The people of the tests.

Ann and Bo review, Lee leads, Eve engineers, Ada is the admin, Vi views: all of `project`.
Cy is the admin of `elsewhere`, so that every door can ask: what does Cy see?
"""

from __future__ import annotations

import pytest

from core.access import Role
from core.models import Environment, Project, User
from registry.models import PromptVersion, RubricVersion
from tests import factories


@pytest.fixture
def project(db: None) -> Project:
    return factories.make_project()


@pytest.fixture
def environment(project: Project) -> Environment:
    return factories.make_environment(project)


@pytest.fixture
def ann(project: Project) -> User:
    return factories.make_member(project, Role.REVIEWER, "Ann")


@pytest.fixture
def bo(project: Project) -> User:
    return factories.make_member(project, Role.REVIEWER, "Bo")


@pytest.fixture
def lee(project: Project) -> User:
    return factories.make_member(project, Role.LEAD, "Lee")


@pytest.fixture
def eve(project: Project) -> User:
    return factories.make_member(project, Role.ENGINEER, "Eve")


@pytest.fixture
def ada(project: Project) -> User:
    return factories.make_member(project, Role.ADMIN, "Ada")


@pytest.fixture
def vi(project: Project) -> User:
    return factories.make_member(project, Role.VIEWER, "Vi")


@pytest.fixture
def elsewhere(db: None) -> Project:
    return factories.make_project(name="Lantern Insurance")


@pytest.fixture
def cy(elsewhere: Project) -> User:
    return factories.make_member(elsewhere, Role.ADMIN, "Cy")


@pytest.fixture
def rubric_version(project: Project) -> RubricVersion:
    return factories.make_rubric(project)


@pytest.fixture
def prompt_version(project: Project) -> PromptVersion:
    return factories.make_prompt(project)
