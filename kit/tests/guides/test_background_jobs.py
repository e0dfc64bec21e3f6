"""docs/background-jobs.md: a queue whose jobs a worker does, apart from all requests.

The contract: a job waits until a worker comes, also over a restart of the server; the
worker has the app's settings, and ends when it is told to.
"""

from pathlib import Path

import pytest
from guides.following import assert_all_green, follow, post
from projects import copy_project
from servers import edit, get, running, serving, wait_for


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("jobs"))
    follow(project, "background-jobs.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


def test_a_job_waits_for_a_worker_and_is_done_with_the_apps_settings(
    project: Path, tmp_path: Path
) -> None:
    edit(
        project / "api/jobs.py",
        'return f"{address} is invited."',
        "return f\"{address} is invited to {current_app.config['SHOP']}.\"",
    )
    data = {"FLASK_INSTANCE_PATH": str(tmp_path / "data"), "FLASK_SHOP": "Books"}
    with serving(project, workers=2, **data) as server:
        assert post(f"{server.url}/invitations", {"address": "ada"}) == 202
    with running(project, "flask worker", **data) as worker:
        worker.prints("Inviting ada")
        with serving(project, **data) as server:
            assert post(f"{server.url}/invitations", {"address": "bob"}) == 202
            worker.prints("Inviting bob")
            assert get(f"{server.url}/jobs/unknown")[1]["state"] == "waiting"
        worker.popen.terminate()
        wait_for(lambda: worker.ended, "the end of the worker")
        assert "Traceback" not in worker.output
