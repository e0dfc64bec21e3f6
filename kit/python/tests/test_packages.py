"""The wheel and the sdist, used by an app that has nothing else of this repository.

The contract: the archives have all of the code and nothing else; an app in another
folder that installs the wheel runs with `flask run` and in production. Others have
published a package without its code.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

import flask
import pytest
from processes import Process, clean_env, get, running, wait_for
from react_flask_kit.testing import free_port, is_answering

KIT = Path(__file__).parents[1]
NODE = KIT.parent / "node"
NAME = "react_flask_kit"
NOT_COPIED = shutil.ignore_patterns("__pycache__", ".*", "build", "dist")
BUILD = """
import sys
from flit_core import buildapi
print(buildapi.build_sdist(sys.argv[1]))
print(buildapi.build_wheel(sys.argv[1]))
"""
APP = """from flask import Flask
app = Flask(__name__)
app.add_url_rule("/time", view_func=lambda: {"time": 1})
"""
WITH_KIT = APP.replace("\n", "\nfrom react_flask_kit import Kit\n", 1) + "Kit(app)\n"


def project_version() -> str:
    text = (KIT / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(r'^version = "(.+)"$', text, re.MULTILINE)[1]


def files_below(folder: Path, *patterns: str) -> set[str]:
    found = [file for pattern in patterns for file in folder.rglob(pattern)]
    return {file.relative_to(folder).as_posix() for file in found}


def build(folder: Path, into: Path) -> tuple[Path, Path]:
    """Build the sdist and the wheel of a folder."""
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(into)],
        cwd=folder,
        env=clean_env(),
        capture_output=True,
        text=True,
        check=True,
    )
    sdist, wheel = done.stdout.split()
    return into / sdist, into / wheel


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the sdist and the wheel of a copy, which has no caches."""
    folder = tmp_path_factory.mktemp("copy") / "python"
    shutil.copytree(KIT, folder, ignore=NOT_COPIED)
    return build(folder, tmp_path_factory.mktemp("archives"))


@pytest.fixture(scope="module")
def python(
    archives: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Install the wheel where there is nothing else but what it depends on."""
    folder = tmp_path_factory.mktemp("a path with spaces") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    options = ["--no-deps", "--no-index", "--no-compile", "--quiet"]
    subprocess.run(
        [*pip, "--disable-pip-version-check", *options, str(archives[1])],
        env=clean_env(),
        check=True,
    )
    # Behind the wheel, so that of this package it is the wheel's that is found.
    (site_packages,) = folder.glob("**/site-packages")
    installed = Path(flask.__file__).parents[1]
    (site_packages / "dependencies.pth").write_text(f"{installed}\n", encoding="utf-8")
    return python


@pytest.fixture
def app_folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(WITH_KIT, encoding="utf-8")
    return tmp_path


def test_the_wheel_has_the_code_and_nothing_else(archives: tuple[Path, Path]) -> None:
    code = files_below(KIT / "src", "*.py", "py.typed")
    info = f"{NAME}-{project_version()}.dist-info"
    metadata = ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
    assert names_in(archives[1]) == code | {f"{info}/{name}" for name in metadata}
    assert {f"{NAME}/__init__.py", f"{NAME}/py.typed"} <= code
    assert archives[1].name == f"{NAME}-{project_version()}-py3-none-any.whl"


def test_the_sdist_has_the_code_and_its_tests(archives: tuple[Path, Path]) -> None:
    root = f"{NAME}-{project_version()}"
    assert archives[0].name == f"{root}.tar.gz"
    with tarfile.open(archives[0]) as archive:
        names = set(archive.getnames())
    own = {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    own |= {f"src/{file}" for file in files_below(KIT / "src", "*.py", "py.typed")}
    own |= {f"tests/{file}" for file in files_below(KIT / "tests", "*.py")}
    assert names == {f"{root}/{file}" for file in own}


def test_the_sdist_makes_the_same_wheel(
    archives: tuple[Path, Path], tmp_path: Path
) -> None:
    with tarfile.open(archives[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    assert names_in(build(folder, tmp_path)[1]) == names_in(archives[1])


def test_the_metadata_name_what_an_app_and_pytest_need(
    python: Path, app_folder: Path
) -> None:
    code = """
import json
from importlib.metadata import distribution
kit = distribution("react-flask-kit")
print(json.dumps({
    "version": kit.version,
    "license": kit.metadata["License-Expression"],
    "readme": kit.metadata["Description-Content-Type"],
    "requires": kit.requires,
    "entry_points": [(e.group, e.name, e.value) for e in kit.entry_points],
    "file": __import__("react_flask_kit").__file__,
}))
"""
    done = subprocess.run(
        [str(python), "-c", code],
        cwd=app_folder,
        env=clean_env(),
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(done.stdout)
    assert Path(told.pop("file")).is_relative_to(python.parents[1])
    requires = {re.match(r"[\w-]+", line)[0] for line in told.pop("requires")}
    assert {"flask", "flask-cors", "granian", "python-dotenv"} <= requires
    assert told == {
        "version": project_version(),
        "license": "MIT",
        "readme": "text/markdown",
        "entry_points": [["pytest11", NAME, f"{NAME}.pytest_plugin"]],
    }


@contextmanager
def answering(
    folder: Path, *command: object, **env: str
) -> Iterator[tuple[Process, str]]:
    """Run a server on a free port; yield it and its address once it answers."""
    port = str(free_port())
    here = {"HOST": "127.0.0.1", "PORT": port, "FLASK_RUN_PORT": port}
    with running(folder, *command, **here, **env) as server:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: server.ended or is_answering(url), "the server")
        assert not server.ended, server.output
        yield server, url


def test_flask_run_serves_the_app(python: Path, app_folder: Path) -> None:
    with answering(app_folder, python, "-m", "flask", "run") as (server, url):
        assert get(f"{url}/time") == (200, {"time": 1})
        assert get(f"{url}/health") == (200, {"status": "ok", "version": None})
        status, problem = get(f"{url}/nowhere")
        assert (status, problem["title"]) == (404, "Not Found")
        server.prints("GET /nowhere HTTP/1.1")
        # Werkzeug's own line stands, and so ours is left out.
        assert "GET /nowhere 404" not in server.output


def test_production_serves_the_app_and_takes_its_name_alone_from_flaskenv(
    python: Path, app_folder: Path
) -> None:
    (app_folder / "app.py").rename(app_folder / "main.py")
    development = "FLASK_APP=main.py\nFLASK_DEBUG=1\nFLASK_APP_VERSION=development\n"
    (app_folder / ".flaskenv").write_text(development, encoding="utf-8")
    (app_folder / ".env").write_text("FLASK_LOG_FORMAT=json\n", encoding="utf-8")
    one = {"WEB_CONCURRENCY": "1"}
    with answering(app_folder, python, "-m", NAME, **one) as (server, url):
        assert get(f"{url}/time") == (200, {"time": 1})
        assert get(f"{url}/health") == (200, {"status": "ok", "version": None})
        assert get(f"{url}/ready") == (200, {"status": "ready"})
        status, problem = get(f"{url}/nowhere")
        assert (status, problem["title"]) == (404, "Not Found")
        server.prints('"message": "GET /nowhere 404 ')
        assert server.output.startswith("The frontend and the API are on http://")


def test_the_halves_of_the_kit_have_one_version_and_one_licence() -> None:
    assert distribution("react-flask-kit").version == project_version()
    if not NODE.is_dir():
        pytest.skip("this half of the kit stands alone")
    package = json.loads((NODE / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == project_version()
    assert package["license"] == "MIT"
    licence = (KIT / "LICENSE").read_text(encoding="utf-8")
    assert (NODE / "LICENSE").read_text(encoding="utf-8") == licence
    assert licence.startswith("MIT License\n")
