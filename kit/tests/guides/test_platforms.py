"""docs/platforms.md: the image's settings on platforms, and files for two of them.

The contract: the files are valid, and name settings and paths that exist; with what
they set, the server answers behind the platform's proxies; the page's question tells
how many these are; no client chooses the host. The platforms themselves are not tried.
"""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from guides.following import assert_all_green, blocks_of, follow, npm
from guides.tools import read_yaml, uv
from projects import copy_project
from servers import (
    PRODUCTION,
    ROOT,
    clean_env,
    free_port,
    get,
    is_answering,
    python_of,
    running,
    wait_for,
)

PAGE = "platforms.md"
HOST = "app.example.com"
# As RFC 5737 has them for documentation.
FORGED, CLIENT, PROXIES = "192.0.2.1", "198.51.100.7", ["203.0.113.1", "203.0.113.2"]
READ_TOML = """
import json, sys, tomli
print(json.dumps(tomli.loads(sys.stdin.read())))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("platforms"))
    follow(project, PAGE)
    npm(project, "run", "build")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


@pytest.fixture(scope="module")
def fly(project: Path) -> dict[str, Any]:
    # Python reads TOML by itself only from 3.11 on.
    run = ["run", "--quiet", "--no-project", "--isolated", "--with", "tomli==2.4.0"]
    text = (project / "fly.toml").read_text(encoding="utf-8")
    command = [*run, "python", "-c", READ_TOML]
    return json.loads(uv(project, *command, input=text, env=clean_env()))


@pytest.fixture(scope="module")
def render(project: Path) -> dict[str, Any]:
    (file,) = read_yaml(project, (project / "render.yaml").read_text(encoding="utf-8"))
    return file


@pytest.fixture(scope="module")
def service(render: dict[str, Any]) -> dict[str, Any]:
    """Return the only service of render.yaml."""
    (service,) = render["services"]
    return service


def commands() -> Iterator[list[str]]:
    """Give the words of each command of the page."""
    for block in blocks_of(PAGE):
        if block.language == "sh":
            yield from map(shlex.split, block.code.splitlines())


def assignments(words: list[str]) -> dict[str, str]:
    """Return what a command sets: A=1 B=2, or A=1,B=2 after an option."""
    text = " ".join(words)
    return dict(re.findall(r"\b([A-Z][A-Z_]+)=(.*?)(?=,[A-Z_]+=| |$)", text))


def command_with(*words: str) -> list[str]:
    """Return the one command of the page that has these words."""
    (found,) = [line for line in commands() if set(words) <= set(line)]
    return found


@pytest.fixture(scope="module")
def settings(fly: dict[str, Any], service: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return what the page sets, by the platform; a secret of any value is in it."""
    of_render = {
        it["key"]: it.get("value", "s" * 44)
        for it in service["envVars"]
        # Its tables are those of another page.
        if it["key"] != "DATABASE_URL"
    }
    return {
        "fly": fly["env"],
        "render": of_render,
        "heroku": assignments(command_with("heroku", "config:set")),
        "cloud run": assignments(
            [
                word
                for line in commands()
                if line[:3] == ["gcloud", "run", "deploy"]
                for word in line
                if "FLASK_PROXIES" in word
            ]
        ),
    }


PLATFORMS = ("fly", "render", "heroku", "cloud run")


def documented() -> set[str]:
    """Return the names that the kit documents, and those that docs/database.md does."""
    text = (ROOT / "kit/python/README.md").read_text(encoding="utf-8")
    of_tables = {
        name
        for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`([A-Z_]+)`", row)
    }
    return of_tables | {"DATABASE_URL", "FLASK_SECRET_KEY"}


def test_each_setting_exists(settings: dict[str, dict[str, str]]) -> None:
    page = (ROOT / "docs" / PAGE).read_text(encoding="utf-8")
    named = {name for names in settings.values() for name in names}
    assert {"FLASK_PROXIES", "FLASK_TRUSTED_HOSTS"} <= named
    # The platforms' own names have the platforms' prefixes.
    ours = r"`((?:FLASK|WEB|RELEASE|DATABASE)_[A-Z_]+|PORT|HOST)\b"
    told = set(re.findall(ours, page))
    assert len(told) > 8
    assert (named | told) - documented() == set()


def test_each_path_and_port_is_that_of_the_image(
    project: Path, fly: dict[str, Any], service: dict[str, Any]
) -> None:
    dockerfile = (project / "deploy/Dockerfile").read_text(encoding="utf-8")
    of_image = dict(re.findall(r"\b([A-Z_]+)=(\S+)", dockerfile.split("\nENV ")[-1]))
    assert fly["http_service"]["internal_port"] == int(of_image["PORT"])
    assert fly["mounts"]["destination"] == of_image["FLASK_INSTANCE_PATH"]
    assert (project / fly["build"]["dockerfile"]).is_file()
    assert (project / service["dockerfilePath"]).is_file()
    assert (project / service["dockerContext"] / "package.json").is_file()
    checks = [check["path"] for check in fly["http_service"]["checks"]]
    assert {*checks, service["healthCheckPath"]} <= {"/health", "/ready"}


def test_a_platform_waits_longer_than_the_server(
    fly: dict[str, Any], service: dict[str, Any], settings: dict[str, dict[str, str]]
) -> None:
    assert fly["kill_signal"] == "SIGTERM"
    for name, waits in {
        "fly": fly["kill_timeout"],
        "render": service["maxShutdownDelaySeconds"],
        "heroku": 30,
        "cloud run": 10,
    }.items():
        assert int(settings[name].get("WEB_SECONDS_TO_FINISH", 30)) < waits, name


def test_the_databases_of_a_blueprint_are_in_it(
    render: dict[str, Any], service: dict[str, Any]
) -> None:
    (url,) = [it for it in service["envVars"] if it["key"] == "DATABASE_URL"]
    assert url["fromDatabase"]["name"] in {it["name"] for it in render["databases"]}


@contextmanager
def serving_as(project: Path, platform: dict[str, str], data: Path) -> Iterator[int]:
    """Serve as the image does, with what a platform sets; give the port."""
    port = free_port()
    image = {"HOST": "0.0.0.0", "WEB_CONCURRENCY": "1", "FLASK_DEBUG": "0"}
    ours = image | {"FLASK_INSTANCE_PATH": str(data)} | platform | {"PORT": str(port)}
    with running(project, PRODUCTION, **ours) as command:
        wait_for(lambda: command.ended or is_answering(port), "the server")
        assert not command.ended, command.output
        yield port


def ask(port: int, path: str, host: str = HOST, **headers: str) -> tuple[int, dict]:
    """Ask as a platform's last proxy does."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return get(f"http://127.0.0.1:{port}{path}", Host=host, **fields)


def through(proxies: int) -> str:
    """Return the X-Forwarded-For of a client that forges one, after so many proxies."""
    return ", ".join([FORGED, CLIENT, *PROXIES[: proxies - 1]])


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_server_answers_behind_the_proxies_of_a_platform(
    project: Path, settings: dict[str, dict[str, str]], name: str, tmp_path: Path
) -> None:
    platform = settings[name]
    seen = through(int(platform["FLASK_PROXIES"]))
    with serving_as(project, platform, tmp_path / "data") as port:
        forwarded = {"X_Forwarded_For": seen, "X_Forwarded_Proto": "https"}
        expected = {"address": CLIENT, "host": HOST, "scheme": "https"}
        assert ask(port, "/address", **forwarded) == (200, expected)
        # A check asks by an address, without proxies.
        for path in ("/health", "/ready"):
            assert ask(port, path, host="10.0.0.7:8000")[0] == 200
        status, _ = ask(port, "/address", X_Forwarded_Host="evil.example", **forwarded)
        assert status == 400
        assert ask(port, "/address", host="evil.example", **forwarded)[0] == 400


@pytest.mark.parametrize("proxies", [1, 2])
def test_the_question_tells_how_many_proxies_there_are(
    project: Path, proxies: int, tmp_path: Path
) -> None:
    told = {}
    for number in range(1, proxies + 2):
        with serving_as(project, {"FLASK_PROXIES": str(number)}, tmp_path) as port:
            _, answer = ask(port, "/address", X_Forwarded_For=through(proxies))
            told[number] = answer["address"]
    assert told.pop(proxies + 1) == FORGED
    assert told.pop(proxies) == CLIENT
    assert set(told.values()) <= set(PROXIES)


def test_a_client_chooses_the_host_where_no_names_are_set(
    project: Path, tmp_path: Path
) -> None:
    """It is why the page wants FLASK_TRUSTED_HOSTS."""
    with serving_as(project, {"FLASK_PROXIES": "1"}, tmp_path) as port:
        _, answer = ask(port, "/address", X_Forwarded_Host="evil.example")
        assert answer["host"] == "evil.example"


@pytest.mark.skipif(sys.platform == "win32", reason="true is a command of Unix")
@pytest.mark.parametrize("nothing", ["", "true"])
def test_the_server_does_not_repeat_the_release_step(
    project: Path, nothing: str, tmp_path: Path
) -> None:
    flaskenv = project / ".flaskenv"
    before = flaskenv.read_text(encoding="utf-8")
    step = 'RELEASE_COMMAND=python -c "raise SystemExit(1)"\n'
    flaskenv.write_text(before + step, encoding="utf-8")
    try:
        with serving_as(project, {"RELEASE_COMMAND": nothing}, tmp_path) as port:
            assert ask(port, "/health")[0] == 200
        with running(project, PRODUCTION, PORT=str(free_port())) as it:
            wait_for(lambda: it.ended, "the end")
            assert it.popen.returncode == 3
    finally:
        flaskenv.write_text(before, encoding="utf-8")


def test_the_release_step_of_fly_is_no_command_of_the_kit(project: Path) -> None:
    """Fly.io sets RELEASE_COMMAND=1 where its own release command runs."""
    for module, status in {"react_flask_kit.release": 1, "flask routes": 0}.items():
        done = subprocess.run(
            [python_of(project), "-m", *module.split()],
            cwd=project,
            env=clean_env(RELEASE_COMMAND="1"),
            capture_output=True,
            check=False,
        )
        assert done.returncode == status, done.stderr


def test_the_app_starts_where_its_folder_cannot_be_written(
    project: Path, tmp_path: Path
) -> None:
    """As where a platform runs the image as a user of its own."""
    file = tmp_path / "file"
    file.touch()
    release = {"RELEASE_COMMAND": "python -c pass", "FLASK_PROXIES": "1"}
    with serving_as(project, release, file / "data") as port:
        assert ask(port, "/health")[0] == 200
        assert ask(port, "/time")[0] == 200


def test_the_release_image_of_heroku_has_another_command_and_nothing_else() -> None:
    (line,) = [line for line in commands() if line[0] == "printf"]
    base, command = line[2:4]
    web = line[line.index("-t") + 1].replace("/release", "/web")
    assert base == f"FROM {web}"
    assert json.loads(command.removeprefix("CMD ")) == ["flask", "db", "upgrade"]
