from __future__ import annotations

import pytest

from core.models import Environment, Project, User
from registry.models import RubricVersion
from tests import traces
from tests.annotation.web.desk import Desk


@pytest.fixture
def desk(
    project: Project, environment: Environment, rubric_version: RubricVersion, ann: User, bo: User
) -> Desk:
    """Ann and Bo are enrolled; nothing waits yet."""
    traces.enrol(project, ann, bo)
    return Desk(project, environment, rubric_version)
