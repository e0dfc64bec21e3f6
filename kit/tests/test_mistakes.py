"""A mistake in src/, public/ or the settings of the page is told in a message."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from servers import free_port, running, succeed


def without(file: str) -> Callable[[Path], None]:
    return lambda project: (project / file).unlink()


def with_file(file: str, text: str) -> Callable[[Path], object]:
    return lambda project: (project / file).write_text(text, encoding="utf-8")


def with_key(key: str, value: object) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        file = project / "package.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))

    return change


def unchanged(_project: Path) -> None:
    pass


CERTIFICATE = "HTTPS=true needs a certificate, but SSL_CRT_FILE is "


@pytest.mark.parametrize(
    ("name", "change", "env", "message"),
    [
        ("build", without("public/index.html"), {}, "public/index.html is missing: "),
        ("start", without("src/index.js"), {}, "src/index.js is missing: "),
        ("build", with_key("homepage", "example"), {}, '"homepage" in package.json is'),
        ("start", with_key("proxy", "5000"), {}, '"proxy" in package.json is "5000"'),
        ("build", unchanged, {"PUBLIC_URL": "http://"}, 'PUBLIC_URL is "http://". '),
        ("build", unchanged, {"BUILD_PATH": "."}, "Set BUILD_PATH (or build.outDir)"),
        ("build", unchanged, {"BUILD_PATH": ".."}, "Set BUILD_PATH (or build.outDir)"),
        ("start", unchanged, {"PORT": "http"}, "PORT=http is not a port. "),
        ("start", unchanged, {"HTTPS": "true"}, CERTIFICATE + "not set. "),
        (
            "start",
            unchanged,
            {"HTTPS": "true", "SSL_CRT_FILE": "no.pem"},
            CERTIFICATE + "not a file: no.pem. ",
        ),
        (
            "build",
            with_file(".env", "A='two\nlines'\n# fine\nREACT_APP_TITLE The page\n"),
            {},
            ".env, line 4 is not NAME=VALUE: REACT_APP_TITLE The page",
        ),
        (
            "build",
            with_file("jsconfig.json", '{ "compilerOptions": { "baseUrl": "lib" } }'),
            {},
            '"baseUrl" in jsconfig.json is "lib". ',
        ),
        (
            "build",
            with_file("src/index.js", "window.two = eval('1 + 1');"),
            {"CI": "true"},
            "Treating warnings as errors because CI is set",
        ),
    ],
)
def test_bad_input_is_one_message(
    own_project: Path,
    name: str,
    change: Callable[[Path], object],
    env: dict[str, str],
    message: str,
) -> None:
    change(own_project)
    port = str(free_port())
    with running(own_project, name, **{"PORT": port} | env) as command:
        assert command.popen.wait(timeout=60) == 1, command.output
        assert command.output.count(message) == 1, command.output
        assert "    at " not in command.output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "import { ReactComponent as Logo } from './logo.svg';",
            "Run: npm run add-frontend vite-plugin-svgr",
        ),
        ("import './App.css'; exports.a = 1;", "do not go together with import"),
        ("const x = require('./nowhere');", "./nowhere"),
        ("require.resolve('./nowhere');", "There is no ./nowhere"),
        ("require.context('./nowhere');", "There is no folder ./nowhere"),
        ("require.context(process.cwd());", "a folder, true or false, and"),
        ("import path from 'path';", "Run: npm run add-frontend path-browserify"),
        ("import 'net';", "a module of Node.js that no browser has"),
        ("import css from 'twin.macro';", "Macros are run by Babel"),
        ("import '!!pug-loader!./x.pug';", "The loader pug-loader is webpack's"),
        ("// @flow\nconst a: ?string = '';", "npm run add-frontend flow-remove-types"),
        ("import './nowhere';", "./nowhere"),
        ("const = 1;", "Unexpected token"),
    ],
)
def test_what_src_cannot_do_is_named_with_its_place(
    own_project: Path, line: str, message: str
) -> None:
    with_file("src/App.js", f"// A comment.\n{line}\n")(own_project)
    with running(own_project, "build") as command:
        assert command.popen.wait(timeout=60) == 1
        assert message in command.output
        assert "src/App.js" in command.output


def test_a_list_of_browsers_that_cannot_be_read_is_told_and_no_mistake(
    own_project: Path,
) -> None:
    with_key("browserslist", ["last 1 chrome version"])(own_project)
    output = succeed(own_project, "build", CI="true")
    assert "npm run add-frontend browserslist browserslist-to-esbuild" in output
