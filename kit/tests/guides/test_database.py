"""docs/database.md: what somebody has who follows it.

The contract: the project is green afterwards; nothing fails with "database is locked";
a migration keeps what refers to its table; the deployment files that it shows are valid.
"""

from pathlib import Path

import pytest
from guides.following import assert_all_green, follow
from projects import copy_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("database"))
    follow(project, "database.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)
