"""What the servers depend on takes effect when it changes, or a line says what to do.

The contract of `npm run dev`: no request is lost meanwhile, and none is answered by
what was before once an answer has come from what is now.
"""

import http.client
import json
import os
import re
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from projects import copy_project
from servers import (
    Command,
    certificate,
    developing,
    edit,
    free_port,
    get,
    is_answering,
    running,
    started,
    succeed,
    wait_for,
)

STATE = """

import os
import part


@app.get("/state")
def state():
    env = os.environ.get("NUMBER", "0")
    greeting = os.environ.get("GREETING")
    return {"code": 0, "part": part.NUMBER, "env": env, "greeting": greeting}
"""
# Restarts come faster than the seconds by which Python tells a changed file.
WITH_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}


class Development:
    """`npm run dev` on a copy of the project that the tests edit."""

    def __init__(self, project: Path, command: Command, url: str):
        """Remember where it is."""
        self.project = project
        self.command = command
        self.url = url
        self.api = project / "api/api.py"

    def get(self, path: str = "/state") -> dict:
        """Return what the API answers to the page."""
        return get(self.url + path)[1]

    def answers(self, path: str, **expected: object) -> None:
        """Wait until an answer of the API has these members."""
        wait_for(
            lambda: expected.items() <= self.get(path).items(), f"{path}: {expected}"
        )

    def says(self, pattern: str, action: Callable[[], object]) -> None:
        """Wait until the terminal says something once more, because of what is done."""
        count = len(re.findall(pattern, self.command.output))
        action()
        wait_for(lambda: len(re.findall(pattern, self.command.output)) > count, pattern)

    def text(self, path: str) -> str:
        """Return what Vite answers; nothing while its process starts again."""
        with (
            suppress(OSError, http.client.HTTPException),
            urllib.request.urlopen(self.url + path, timeout=20) as response,
        ):
            return response.read().decode()
        return ""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Development]:
    project = copy_project(tmp_path_factory.mktemp("restarts"))
    with (project / "api/api.py").open("a") as api:
        api.write(STATE)
    (project / "api/part.py").write_text("NUMBER = 0\n")
    (project / "api/rates.json").write_text("1")
    append(project / ".flaskenv", "FLASK_RUN_EXTRA_FILES=api/rates.json\n")
    with developing(project, **WITH_BYTECODE) as (command, url):
        yield Development(project, command, url)


def append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(text)


def changes(dev: Development) -> Iterator[dict]:
    """Change a file at each step, and yield what is true then."""
    part, env = dev.project / "api/part.py", dev.project / ".env"
    older = time.time() - 1000
    for number in range(1, 7):
        edit(dev.api, f'"code": {number - 1}', f'"code": {number}')
        yield {"code": number}
        moved = dev.project / "moved.py"
        moved.write_text(f"NUMBER = {number}\n")
        os.utime(moved, (older + number, older + number))
        moved.replace(part)
        yield {"part": number}
        env.write_text(f"NUMBER={number}\n")
        yield {"env": number}
        env.write_text(f"NUMBER={number}\nREACT_APP_NUMBER={number}\n")
        yield {"env": number}
    for number in range(7, 13):
        new = dev.project / f"api/part_{number}.py"
        new.write_text(f"NUMBER = {number}\n")
        edit(dev.api, f"import {part.stem}", f"import part_{number}")
        edit(dev.api, f"{part.stem}.NUMBER", f"part_{number}.NUMBER")
        part.unlink()
        part = new
        yield {"part": number}


def test_of_thousands_of_requests_none_is_lost_or_answered_by_what_was_before(
    dev: Development,
) -> None:
    host, port = dev.url.removeprefix("http://").split(":")
    answers: list[tuple[float, dict]] = []
    failures: list[object] = []
    stop = threading.Event()

    def ask_on(is_kept: bool) -> None:
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        while not stop.is_set():
            began = time.monotonic()
            try:
                connection.request("GET", "/state")
                response = connection.getresponse()
                body = response.read()
                if response.status == 200:
                    answers.append((began, json.loads(body)))
                else:
                    failures.append((response.status, body))
            except (OSError, http.client.HTTPException) as error:
                failures.append(error)
            if not is_kept:
                connection.close()
            stop.wait(0.01)
        connection.close()

    threads = [threading.Thread(target=ask_on, args=(n > 1,)) for n in range(4)]
    for thread in threads:
        thread.start()
    seen: list[tuple[float, dict]] = []
    try:
        for expected in changes(dev):
            wait_for(lambda e=expected: is_now(dev.get(), e), str(expected))
            seen.append((time.monotonic(), expected))
        wait_for(lambda: len(answers) >= 2000 or failures, "2,000 answers", 60)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(seen) == 30
    for began, answer in answers:
        for moment, expected in seen:
            assert is_now(answer, expected) or began < moment, (answer, expected)


def is_now(answer: dict, expected: dict) -> bool:
    """Tell whether an answer is as new as that, or newer."""
    return all(int(answer.get(key, -1)) >= expected[key] for key in expected)


def test_a_module_that_was_missing_is_noticed_when_it_is_made(dev: Development) -> None:
    module = dev.project / "api/greetings.py"
    edit(dev.api, "import time\n", "import time\nimport greetings\n")
    dev.answers("/time", title="Internal Server Error")
    module.write_text("HELLO = 1\n")
    wait_for(lambda: "time" in dev.get("/time"), "the module to be found")
    edit(dev.api, "import greetings\n", "")


def test_a_data_file_that_a_setting_names_starts_the_api_and_reloads_the_page(
    dev: Development,
) -> None:
    rates = dev.project / "api/rates.json"
    dev.says(r"api/rates\.json.* changed", lambda: rates.write_text("2"))


@pytest.mark.parametrize(
    ("name", "text"),
    [(".flaskenv", "GREETING=1\n"), (".env", "GREETING=2\n"), (".env", "GREETING=3\n")],
)
def test_a_setting_is_taken_when_it_is_written(
    dev: Development, name: str, text: str
) -> None:
    vite_restarts = dev.command.output.count("server restarted")
    append(dev.project / name, text)
    dev.answers("/state", greeting=text.strip()[-1])
    # It concerns the API alone.
    assert dev.command.output.count("server restarted") == vite_restarts


def test_a_value_of_the_page_is_taken_without_a_new_start(dev: Development) -> None:
    source = dev.project / "src/value.js"
    source.write_text("export default process.env.REACT_APP_VALUE;\n")
    for value in ("one", "two"):
        (dev.project / ".env").write_text(f"REACT_APP_VALUE={value}\n")
        wait_for(lambda v=value: f'"{v}"' in dev.text("/src/value.js"), value)
    dev.says("server restarted", (dev.project / ".env").unlink)
    source.unlink()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("src/setupProxy.js", "module.exports = () => {};\n"),
        ("jsconfig.json", '{"compilerOptions": {"baseUrl": "src"}}'),
    ],
)
def test_vite_restarts_for_what_it_reads_once(
    dev: Development, name: str, text: str
) -> None:
    file = dev.project / name
    dev.says("server restarted", lambda: file.write_text(text))
    dev.says("server restarted", file.unlink)


def test_another_port_of_the_api_is_told_to_want_a_new_start(dev: Development) -> None:
    env = dev.project / ".env"
    dev.says(
        "FLASK_RUN_PORT.* has changed: stop this, and run npm run dev again",
        lambda: env.write_text("FLASK_RUN_HOST=::1\n"),
    )
    dev.says(r"\.env.* changed", env.unlink)
    assert dev.get("/time")["time"]


def test_packages_that_are_listed_by_hand_are_told_how_to_be_pinned(
    dev: Development,
) -> None:
    def save(name: str) -> Callable[[], None]:
        return lambda: os.utime(dev.project / name)

    dev.says("npm run add-api", save("pyproject.toml"))
    package = dev.project / "package.json"
    before = package.read_text()
    new = before.replace('"react": ', '"left-pad": "^1.3.0",\n    "react": ')
    dev.says("run: npm run add-frontend", lambda: package.write_text(new))
    dev.says(
        "package.json has changed: Vite restarts", lambda: package.write_text(before)
    )
    assert dev.get("/time")["time"]


def test_other_requirements_are_installed_and_the_api_starts_again(
    dev: Development,
) -> None:
    requirements = dev.project / "api/requirements.txt"

    dev.says(
        r"api/requirements\.txt.* changed",
        lambda: append(requirements, "# a comment\n"),
    )
    assert dev.get("/time")["time"]
    installed = json.loads((dev.project / "api/venv/installed.json").read_text())
    assert "# a comment" in installed["requirements"]["api/requirements.txt"]


def test_an_api_that_ends_at_once_is_a_state_and_starts_again_when_it_is_mended(
    dev: Development,
) -> None:
    exit_at_import = "import os; os._exit(3)\nimport time\n"
    message = "The API's server ended (exit code 3)."
    dev.says(re.escape(message), lambda: edit(dev.api, "import time\n", exit_at_import))
    status, problem = get(f"{dev.url}/time")
    assert (status, problem["detail"]) == (503, message)
    edit(dev.api, exit_at_import, "import time\n")
    wait_for(lambda: "time" in dev.get("/time"), "the API")


def test_packages_that_are_added_beside_the_servers_take_effect(
    dev: Development,
) -> None:
    (dev.project / "src/odd.js").write_text("import 'is-odd';\n")
    printed = dev.command.output.count("packages have changed")
    succeed(dev.project, "add-frontend is-odd")
    wait_for(
        lambda: dev.command.output.count("packages have changed") > printed, "Vite"
    )
    wait_for(lambda: "deps/is-odd.js" in dev.text("/src/odd.js"), "the package")
    output = succeed(dev.project, "add-api itsdangerous")
    assert "Pinning in api/requirements.txt" in output
    assert dev.get("/time")["time"]


def test_an_api_without_its_setting_is_not_called_ready_until_it_has_it(
    own_project: Path,
) -> None:
    edit(own_project / "api/api.py", "Kit(app)", 'Kit(app, required=["STRIPE_KEY"])')
    port = str(free_port())
    with running(own_project, "dev", PORT=port, FLASK_RUN_PORT="") as command:
        command.prints("React is ready; the API does not answer yet")
        assert "are ready" not in command.output
        problem = get(f"http://localhost:{port}/time")[1]
        assert "FLASK_STRIPE_KEY=" in problem["cure"]
        (own_project / ".env").write_text("FLASK_STRIPE_KEY=sk\n")
        command.prints("React and Flask are ready")


def test_start_api_takes_another_setting_too(own_project: Path) -> None:
    edit(own_project / "api/api.py", "import time\n", "import time\nimport os\n")
    edit(own_project / "api/api.py", "time.time()}", "os.environ.get('NUMBER')}")
    port = free_port()
    url = f"http://127.0.0.1:{port}/time"

    def answered() -> object:
        with suppress(OSError, http.client.HTTPException):
            return get(url)[1]["time"]

    with running(own_project, "start-api", FLASK_RUN_PORT=str(port)):
        wait_for(lambda: is_answering(port), "the API")
        for number in ("1", "2"):
            (own_project / ".env").write_text(f"NUMBER={number}\n")
            wait_for(lambda n=number: answered() == n, number)


def test_a_renewed_certificate_is_used_without_a_new_start(own_project: Path) -> None:
    names = ("localhost.crt", "localhost.key")
    files = [own_project / name for name in names]
    certificate(*files)
    tls = {"HTTPS": "true", "SSL_CRT_FILE": names[0], "SSL_KEY_FILE": names[1]}
    with started(own_project, **tls) as (_command, url):
        place = ("localhost", int(url.rpartition(":")[2]))
        before = ssl.get_server_certificate(place)
        certificate(*files)
        wait_for(lambda: ssl.get_server_certificate(place) != before, "the new one")


CRASHING = """
import reactFlask from 'react-flask-kit/vite';

const crashing = {
  name: 'crashing',
  configureServer: ({ middlewares }) => {
    const crash = () => {
      throw new Error('Bad plugin');
    };
    middlewares.use('/crash', () => setImmediate(crash));
  },
};
export default { plugins: [reactFlask(), crashing] };
"""


def test_a_crash_of_vite_is_told_and_recovers_unless_it_comes_at_once_again(
    own_project: Path,
) -> None:
    config = own_project / "vite.config.mjs"
    before = config.read_text()
    config.write_text(CRASHING)
    try:
        with developing(own_project) as (command, url):
            crash(url)
            command.prints("The frontend's server crashed")
            assert "Bad plugin" in command.output
            wait_for(lambda: is_answering(int(url.rpartition(":")[2])), "Vite")
            assert get(f"{url}/time")[0] == 200
            crash(url)
            command.prints("The frontend's server ended (exit code 1)")
            assert command.popen.wait(timeout=10) == 1
    finally:
        config.write_text(before)


def crash(url: str) -> None:
    with suppress(OSError, http.client.HTTPException):
        urllib.request.urlopen(f"{url}/crash", timeout=20).close()
