"""Flask's own tests, with the kit on every app.

The contract: what passes in plain Flask passes with the kit, but for the differences
that are meant and listed here, each with its reason. One that is no longer there fails
too.

The tests are in Flask's source distribution, which SDIST_OF_FLASK names: the archive,
or `download` to let pip get it. Nothing is downloaded otherwise.
"""

import gc
import os
import subprocess
import sys
import tarfile
import weakref
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
from flask import Flask
from react_flask_kit import Kit

from servers import HERE, environment

SECONDS = 300
MEANT = {
    "tests.test_basic::test_session_using_samesite_attribute": (
        "The session cookie is SameSite=Lax where the author has set nothing."
    ),
    "tests.test_basic::test_app_freed_on_zero_refcount": (
        "As with any WSGI middleware that is put in place of app.wsgi_app, the garbage "
        "collector frees the app: see the test below."
    ),
    "tests.test_logging::test_logger": (
        "The logger has the kit's handler in place of Flask's, and INFO and above."
    ),
    "tests.test_logging::test_logger_debug": (
        "The same; debug that is set after Kit(app) counts from the first answer."
    ),
    "tests.test_logging::test_existing_handler": (
        "Logging that is configured after Kit(app) counts from the first answer."
    ),
    "tests.test_logging::test_wsgi_errors_stream": (
        "The log goes to stderr, and not to wsgi.errors of each request."
    ),
    "tests.test_logging::test_log_view_exception": (
        "The log goes to stderr, and not to wsgi.errors of each request."
    ),
    "tests.test_templating::test_template_loader_debugging": (
        "Who has configured logging gets a record for each request, one more here."
    ),
}


class Outcome(NamedTuple):
    """What became of the tests of a run."""

    passed: set[str]
    failed: set[str]
    skipped: set[str]

    def __str__(self) -> str:
        """Tell it in numbers."""
        parts = zip(self._fields, map(len, self), strict=True)
        return ", ".join(f"{count} {name}" for name, count in parts)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with Flask's source distribution, of the version that is used."""
    named = os.environ.get("SDIST_OF_FLASK")
    if not named:
        pytest.skip("SDIST_OF_FLASK names no archive, nor says download")
    folder = tmp_path_factory.mktemp("flask")
    wanted = f"flask-{version('flask')}"
    if named == "download":
        get = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        get += ["--no-binary=:all:", f"--dest={folder}", wanted.replace("-", "==")]
        subprocess.run(get, check=True, timeout=SECONDS)
        named = str(folder / f"{wanted}.tar.gz")
    with tarfile.open(named) as archive:
        archive.extractall(folder, filter="data")
    assert (folder / wanted).is_dir(), f"{named} is not {wanted}"
    return folder / wanted


def run_tests(folder: Path, kit: bool) -> Outcome:
    """Run the tests of a folder in a process of its own."""
    report = folder / f"report-{kit}.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"]
    command += ["-p", "no:react_flask_kit", "-p", "no:cacheprovider", "tests"]
    env = environment({"PYTHONPATH": os.pathsep.join([str(HERE), str(folder)])})
    del env["FLASK_APP"]
    if (folder / "src").exists():
        command += ["-p", "flask_suite"]
        env["KIT"] = "1" if kit else ""
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        capture_output=True,
        check=False,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    outcome = Outcome(set(), set(), set())
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            outcome.failed.add(name)
        elif "skipped" in kinds:
            outcome.skipped.add(name)
        else:
            outcome.passed.add(name)
    return outcome


@pytest.mark.timeout(2 * SECONDS)
def test_the_suite_of_flask_passes_but_for_what_is_meant(source: Path) -> None:
    plain, with_kit = run_tests(source, kit=False), run_tests(source, kit=True)
    print(f"\nplain: {plain}\nwith the kit: {with_kit}")
    assert len(plain.passed) > 400
    assert with_kit.skipped == plain.skipped
    assert with_kit.failed - plain.failed == set(MEANT)
    assert plain.failed - with_kit.failed == set()


def test_the_tutorial_of_flask_passes_with_the_kit_in_its_factory(source: Path) -> None:
    tutorial = source / "examples/tutorial"
    plain = run_tests(tutorial, kit=False)
    factory = tutorial / "flaskr/__init__.py"
    code = factory.read_text()
    place = '    @app.route("/hello")\n'
    assert code.count(place) == 1
    code = code.replace(place, f"    Kit(app)\n\n{place}")
    factory.write_text(f"from react_flask_kit import Kit\n{code}")
    with_kit = run_tests(tutorial, kit=True)
    print(f"\nplain: {plain}\nwith the kit: {with_kit}")
    assert len(with_kit.passed) > 20
    assert with_kit == plain
    assert not with_kit.failed


def test_an_app_that_nobody_has_any_more_is_freed() -> None:
    app = Flask("app")
    Kit(app)
    app.add_url_rule("/", "index", lambda: {"freed": False})
    assert app.test_client().get("/").status_code == 200
    weak = weakref.ref(app)
    del app
    gc.collect()
    assert weak() is None
