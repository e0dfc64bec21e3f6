"""docs/calling-services.md: another service does not hold up this one.

The contract: a service that hangs is a 504, one that is not there a 502; production
does not start without the key; neither key nor address reaches a client.
"""

import socket
from pathlib import Path

import pytest
from guides.following import assert_all_green, follow
from projects import copy_project
from servers import PRODUCTION, free_port, get, running, serving


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("services"))
    follow(project, "calling-services.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


def test_production_does_not_start_without_the_key(project: Path) -> None:
    with running(project, PRODUCTION, PORT=str(free_port())) as command:
        assert command.popen.wait(timeout=30) == 3
        assert "FLASK_WEATHER_KEY is not set" in command.output


def test_a_service_that_hangs_or_is_absent_is_told_without_the_inside(
    project: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        address = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        settings = {"FLASK_WEATHER_KEY": "swordfish", "FLASK_WEATHER_URL": address}
        with serving(project, **settings) as server:
            status, answer = get(f"{server.url}/weather/Oslo")
            assert (status, answer["title"]) == (504, "Gateway Timeout")
    settings["FLASK_WEATHER_URL"] = f"http://127.0.0.1:{free_port()}"
    with serving(project, **settings) as server:
        status, answer = get(f"{server.url}/weather/Oslo")
        assert (status, answer["detail"]) == (502, "The weather is not known just now.")
        assert "swordfish" not in server.command.output
