"""One command makes a copy of the starter somebody's own project, in either language.

The contract: nothing outside of kit/ names the starter, kit/ is untouched, what is left
is green, and nothing that somebody has made is lost.
"""

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from guides.following import BLOCK, LABEL, change
from playwright.sync_api import Page, expect
from projects import copy_project
from servers import clean_env, edit, get, running, serving, succeed

PLAIN = SimpleNamespace(
    name="Book Shelf",
    slug="book-shelf",
    description="A React frontend and a Flask API in one program.",
    options=[],
)
ODD = SimpleNamespace(
    name='Ünïcode "Böök" & <Shelf>\'s ${x} `y` %z% \\',
    slug="shelf",
    description='100% "Bücher" & <b>Regale</b>: $& $HOME \\ it`s {ours}',
    options=["--slug", "shelf", "--typescript"],
)
GUIDES = (
    ["background-jobs"],
    ["calling-services"],
    ["database", "sign-in"],
    ["live-updates"],
    ["platforms"],
    ["router"],
    ["staging"],
    ["uploads"],
)


def git(project: Path, *args: str) -> str:
    return subprocess.run(
        ["git", "-C", project, "-c", "core.quotePath=false", *args],
        check=True,
        capture_output=True,
        encoding="utf-8",
    ).stdout


def commit(project: Path) -> None:
    git(project, "add", "--all")
    git(project, "-c", "user.name=a", "-c", "user.email=a", "commit", "-qm", "a")


def make_it_yours(
    project: Path, *args: str, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "kit/node", "kit", "make-it-yours", *args],
        cwd=project,
        env=clean_env(**env),
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )


def state(project: Path) -> tuple[str, str]:
    """Return what is and what is not as it was committed, with the changes."""
    return git(project, "status", "--porcelain", "-uall"), git(project, "diff", "HEAD")


def committed_copy(folder: Path) -> Path:
    project = copy_project(folder)
    git(project, "init", "-q")
    commit(project)
    return project


@pytest.fixture(scope="module", params=[PLAIN, ODD], ids=["javascript", "typescript"])
def fork(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> SimpleNamespace:
    """Make a fork, and commit it."""
    own = request.param
    project = committed_copy(tmp_path_factory.mktemp("fork"))
    description = [] if own is PLAIN else ["--description", own.description]
    done = make_it_yours(project, own.name, *own.options, *description)
    assert done.returncode == 0, done.stdout + done.stderr
    changes = git(project, "status", "--porcelain", "--", "kit")
    commit(project)
    return SimpleNamespace(
        **vars(own),
        folder=project,
        output=done.stdout,
        changes_of_kit=changes,
        files=git(project, "ls-files", "-z").rstrip("\0").split("\0"),
    )


def test_nothing_outside_of_the_kit_names_the_starter(fork: SimpleNamespace) -> None:
    named = re.compile(rb"react[-_ ]flask[-_ ]app|react \+ flask", re.I)
    assert fork.changes_of_kit == ""
    assert [
        file
        for file in fork.files
        if not file.startswith("kit/")
        and named.search(file.encode() + (fork.folder / file).read_bytes())
    ] == []


def test_its_names_are_read_as_they_were_given(fork: SimpleNamespace) -> None:
    package = json.loads((fork.folder / "package.json").read_text(encoding="utf-8"))
    assert package["name"] == fork.slug
    assert package["description"] == fork.description
    manifest = (fork.folder / "public/manifest.json").read_text(encoding="utf-8")
    assert json.loads(manifest)["name"] == fork.name
    # A TOML string with these escapes is one of JSON, too.
    pyproject = (fork.folder / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nname = "{fork.slug}"\n' in pyproject
    found = re.search(r"^description = (.*)$", pyproject, re.M)
    assert json.loads(found[1]) == fork.description
    icon = (fork.folder / "public/favicon.svg").read_text(encoding="utf-8")
    assert f">{fork.name[0]}</text>" in icon
    compose = (fork.folder / "deploy/compose.yaml").read_text(encoding="utf-8")
    assert f"\nname: {fork.slug}\n" in compose


def test_it_knows_what_it_was_made_from(fork: SimpleNamespace) -> None:
    package = json.loads((fork.folder / "package.json").read_text(encoding="utf-8"))
    kit = json.loads((fork.folder / "kit/node/package.json").read_text())
    assert package["starter"] == {
        "version": kit["version"],
        "kit": git(fork.folder, "rev-parse", "HEAD:kit").strip(),
    }


def test_it_has_nothing_that_is_about_the_starter(fork: SimpleNamespace) -> None:
    own = [file for file in fork.files if not file.startswith("kit/")]
    about = re.compile(
        r"(bench|examples)/|\.github/workflows/starter-|docs/.*\.png|LICENSE|SECURITY"
        r"|public/(favicon\.ico|logo)|src/(logo|App\.css)"
    )
    assert [file for file in own if about.match(file)] == []
    ci = (fork.folder / ".ci/run").read_text(encoding="utf-8")
    assert "npm test\nnpm run lint\nnpm run build\n" in ci
    assert not re.search("kit|nginx|postgres", ci)


def test_every_command_and_file_that_its_pages_name_exists(
    fork: SimpleNamespace,
) -> None:
    scripts = json.loads((fork.folder / "package.json").read_text())["scripts"]
    texts = {
        file: (fork.folder / file).read_text(encoding="utf-8")
        for file in fork.files
        if re.search(r"^(?!kit/).*(\.(md|ya?ml|toml|json)|^\.ci/run)$", file)
    }
    commands = {
        command
        for text in texts.values()
        for command in re.findall(r"\bnpm run ([a-z][\w-]*)", text)
    }
    # Of create-react-app.
    assert commands - {"eject"} <= set(scripts)
    for file, text in texts.items():
        prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", prose):
            place, _, anchor = link.partition("#")
            target = (
                (fork.folder / file).parent / place if place else fork.folder / file
            )
            assert target.exists(), (file, link)
            if anchor:
                titles = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.M)
                ids = {
                    re.sub(r"[^\w -]", "", it.lower()).replace(" ", "-")
                    for it in titles
                }
                assert anchor in ids, (file, link)


@pytest.mark.parametrize("guides", GUIDES, ids=lambda guides: guides[-1])
def test_its_guides_find_the_lines_that_they_change(
    fork: SimpleNamespace, tmp_path: Path, guides: list[str]
) -> None:
    """The files alone: what comes of it is tested where the example is."""
    for guide in guides:
        page = (fork.folder / f"docs/{guide}.md").read_text(encoding="utf-8")
        for label, language, code in BLOCK.findall(page):
            what = LABEL.match(label)
            if not what:
                continue
            how, name = what.groups()
            file = tmp_path / name
            original = fork.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if not file.exists():
                file.write_bytes(original.read_bytes() if original.exists() else b"")
            if language == "diff":
                change(file, code)
            else:
                before = file.read_text("utf-8") if how == "Add to" else ""
                file.write_text(before + code, encoding="utf-8")


def test_its_lockfile_is_in_step(fork: SimpleNamespace) -> None:
    (fork.folder / "node_modules/.installed").unlink()
    output = subprocess.run(
        ["node", "kit/node", "prepare-frontend"],
        cwd=fork.folder,
        env=clean_env(CI="true"),
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert output.returncode == 0, output.stdout
    assert "Installing" in output.stdout
    assert git(fork.folder, "status", "--porcelain", "--", "yarn.lock") == ""


def test_its_tests_pass(fork: SimpleNamespace) -> None:
    output = succeed(fork.folder, "test", CI="true")
    assert "Tests  4 passed" in output
    assert "3 passed" in output


def test_its_style_is_right(fork: SimpleNamespace) -> None:
    succeed(fork.folder, "lint")


def test_its_types_are_right_once_they_are_those_of_the_api(
    fork: SimpleNamespace,
) -> None:
    succeed(fork.folder, "kit types")
    try:
        types = (fork.folder / "src/api-types.d.ts").read_text(encoding="utf-8")
        assert "GET: { answer: Greeting };" in types
        succeed(fork.folder, "lint")
        if fork.name == PLAIN.name:
            assert tsc(fork.folder) == (0, "")
    finally:
        git(fork.folder, "clean", "-fdq", "src", "jsconfig.json")


def tsc(project: Path) -> tuple[int, str]:
    """Check the JavaScript of a project, with TypeScript in the folder above it."""
    packages = ["typescript@7", "@types/react@19", "@types/react-dom@19"]
    npm = [shutil.which("npm"), "install", "--no-audit", "--no-fund", *packages]
    subprocess.run(npm, cwd=project.parent, env=clean_env(), check=True, timeout=100)
    command = ["node", "../node_modules/typescript/bin/tsc", "-p", "jsconfig.json"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def site(fork: SimpleNamespace) -> Iterator[str]:
    succeed(fork.folder, "build", CI="true")
    with serving(fork.folder) as server:
        yield server.url


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_page_can_be_read(
    fork: SimpleNamespace, page: Page, site: str, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(site)
    expect(page).to_have_title(fork.name)
    expect(page.get_by_role("heading")).to_have_text(fork.name)
    expect(page.get_by_role("status")).to_have_text("Hello from Flask!")
    scrolls = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(scrolls)
    shades = page.evaluate(
        """[document.body, document.querySelector('h1')].map((it, i) =>
          getComputedStyle(it)[i ? 'color' : 'backgroundColor'].match(/\\d+/g)[0])"""
    )
    paper, ink = map(int, shades)
    assert paper - ink > 150 if scheme == "light" else ink - paper > 150
    page.emulate_media(color_scheme="null")


def test_all_that_its_page_links_to_is_served(site: str) -> None:
    with urllib.request.urlopen(site) as answer:
        html = answer.read().decode()
    links = re.findall(r'(?:href|src)="([^"]+)"', html)
    assert any("favicon" in link for link in links)
    for link in links:
        with urllib.request.urlopen(urllib.parse.urljoin(site, link)) as answer:
            assert answer.status == 200, link
    assert get(f"{site}/greeting") == (200, {"text": "Hello from Flask!"})


def test_a_second_run_says_that_it_is_done_and_changes_nothing(
    fork: SimpleNamespace,
) -> None:
    before = state(fork.folder)
    for args in ([], ["Another Name"], ["Another Name", "--typescript"]):
        done = make_it_yours(fork.folder, *args)
        assert done.returncode == 0, done.stderr
        assert f"This is done: the project is called {fork.slug}" in done.stdout
    assert state(fork.folder) == before


@pytest.mark.parametrize("fork", [ODD], ids=["typescript"], indirect=True)
def test_a_wrong_type_is_told_by_lint_beside_what_the_other_sides_tell(
    fork: SimpleNamespace,
) -> None:
    edit(fork.folder / "src/App.tsx", "greeting.text", "greeting.txet")
    with (fork.folder / "api/api.py").open("a") as api:
        api.write("import os\n")
    try:
        with running(fork.folder, "lint") as lint:
            assert lint.popen.wait(timeout=100) != 0
        assert "Property 'txet' does not exist" in lint.output
        assert "E402" in lint.output
    finally:
        git(fork.folder, "checkout", "--", "src", "api")


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return committed_copy(tmp_path_factory.mktemp("starter"))


@pytest.fixture
def own_starter(starter: Path) -> Iterator[Path]:
    """Take back what a test does, commits included."""
    head = git(starter, "rev-parse", "HEAD").strip()
    yield starter
    git(starter, "reset", "-q", "--hard", head)
    git(starter, "clean", "-fdq")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Give the project a name"),
        ([""], "The name is empty."),
        (["Book", "Shelf"], 'make-it-yours "Book Shelf"'),
        (["日本"], "--slug my-project"),
        (["Flask"], "the name of a package"),
        (["pytest-playwright"], "the name of a package"),
        (["react_dom"], "the name of a package"),
        (["Book Shelf", "--javascript"], "--description, --slug, --typescript"),
        (["Book Shelf", "--slug"], "--slug"),
        (["Book Shelf", "--keep-example", "--typescript"], "there is no blank"),
    ],
)
def test_what_is_wrong_is_told_before_anything_changes(
    starter: Path, args: list[str], message: str
) -> None:
    done = make_it_yours(starter, *args)
    assert done.returncode == 1
    assert message in done.stderr
    assert "\n    at " not in done.stderr
    assert state(starter) == ("", "")


def test_what_npm_keeps_for_itself_is_told(starter: Path) -> None:
    done = make_it_yours(starter, "Book Shelf", npm_config_typescript="true")
    assert "npm has kept --typescript for itself" in done.stderr
    assert state(starter) == ("", "")


def test_it_refuses_to_mix_with_what_is_not_committed(own_starter: Path) -> None:
    (own_starter / "notes.txt").write_text("Mine.")
    before = state(own_starter)
    done = make_it_yours(own_starter, "Book Shelf")
    assert done.returncode == 1
    assert "?? notes.txt" in done.stderr
    assert state(own_starter) == before


def test_it_refuses_where_git_could_take_nothing_back(tmp_path: Path) -> None:
    project = copy_project(tmp_path, installed=())
    done = make_it_yours(
        project, "Book Shelf", GIT_CEILING_DIRECTORIES=str(project.parent)
    )
    assert done.returncode == 1
    assert "git init" in done.stderr
    assert (project / "bench").is_dir()


def test_without_a_network_typescript_changes_nothing(starter: Path) -> None:
    nowhere = "http://127.0.0.1:9/"
    done = make_it_yours(
        starter, "Book Shelf", "--typescript", npm_config_registry=nowhere
    )
    assert done.returncode == 1
    assert "TypeScript could not be installed" in done.stderr
    assert state(starter) == ("", "")


def test_an_edited_example_is_neither_lost_nor_mixed_with_the_blank(
    own_starter: Path,
) -> None:
    edit(own_starter / "src/App.js", "Ask again", "Once more")
    (own_starter / "src/logo.svg").unlink()
    commit(own_starter)
    done = make_it_yours(own_starter, "Book Shelf")
    assert done.returncode == 1
    assert "src/App.js (edited)" in done.stderr
    assert "src/logo.svg (deleted)" in done.stderr
    assert state(own_starter) == ("", "")

    kept = make_it_yours(own_starter, "Book <Shelf>", "--keep-example")
    assert kept.returncode == 0, kept.stderr
    app = (own_starter / "src/App.js").read_text(encoding="utf-8")
    assert "Once more" in app
    assert "<h1>Book &lt;Shelf&gt;</h1>" in app
    assert "/time" in (own_starter / "api/api.py").read_text()
    assert not (own_starter / "bench").exists()
    git(own_starter, "stash", "--include-untracked", "-q")
    assert state(own_starter) == ("", "")

    replaced = make_it_yours(own_starter, "Book Shelf", "--replace-edits")
    assert replaced.returncode == 0, replaced.stderr
    assert "replaced; git has it:\n  src/App.js\n" in replaced.stdout
    assert "/greeting" in (own_starter / "src/App.js").read_text()


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("src", "src/App.js (src is a link)"),
        ("src/App.js", "src/App.js (a link)"),
        ("src/logo.svg", "src/logo.svg (a link)"),
    ],
)
def test_what_a_link_leads_to_is_neither_written_nor_removed(
    own_starter: Path, tmp_path: Path, place: str, named: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    (own_starter / place).rename(elsewhere)
    (own_starter / place).symlink_to(elsewhere)
    commit(own_starter)
    before = [path.stat().st_mtime_ns for path in (elsewhere, *elsewhere.glob("*"))]
    done = make_it_yours(own_starter, "Book Shelf", "--replace-edits")
    assert done.returncode == 1
    assert named in done.stderr
    assert [
        path.stat().st_mtime_ns for path in (elsewhere, *elsewhere.glob("*"))
    ] == before
    assert state(own_starter) == ("", "")


def test_what_git_does_not_have_is_not_overwritten(own_starter: Path) -> None:
    page = own_starter / "tests/test_site.py"
    git(own_starter, "rm", "--quiet", "--cached", "tests/test_site.py")
    with (own_starter / ".gitignore").open("a") as ignored:
        ignored.write("tests/test_site.py\n")
    page.write_text("# Mine.\n")
    commit(own_starter)
    done = make_it_yours(own_starter, "Book Shelf", "--replace-edits")
    assert done.returncode == 1
    assert "tests/test_site.py (not in git)" in done.stderr
    assert page.read_text() == "# Mine.\n"
    page.unlink()


def test_an_edit_of_the_kit_is_not_recorded_as_the_release(own_starter: Path) -> None:
    version = json.loads((own_starter / "kit/node/package.json").read_text())["version"]
    git(own_starter, "tag", f"v{version}")
    (own_starter / "kit/mine.txt").write_text("Mine.\n")
    commit(own_starter)
    try:
        done = make_it_yours(own_starter, "Book Shelf")
        released = git(own_starter, "rev-parse", f"v{version}:kit").strip()
    finally:
        git(own_starter, "tag", "--delete", f"v{version}")
    assert done.returncode == 0, done.stderr
    package = json.loads((own_starter / "package.json").read_text(encoding="utf-8"))
    assert package["starter"] == {"version": version, "kit": released}


def test_a_page_of_somebodys_own_is_not_even_formatted(own_starter: Path) -> None:
    for file in ("src/App.js", "public/index.html", "public/manifest.json"):
        text = (own_starter / file).read_text(encoding="utf-8")
        text = text.replace("React + Flask", "Mine").replace("\n\n", "\n\n\n")
        text = text.replace("A React frontend and a Flask API in one program.", "Mine")
        (own_starter / file).write_text(text, encoding="utf-8")
    commit(own_starter)
    done = make_it_yours(own_starter, "Book Shelf", "--keep-example")
    assert done.returncode == 0, done.stderr
    assert git(own_starter, "diff", "--", "src", "public", "api", "tests") == ""


def test_a_file_that_became_somebodys_own_stays(own_starter: Path) -> None:
    (own_starter / "LICENSE").write_text("All rights reserved.\n")
    (own_starter / "bench/mine.py").write_text("")
    (own_starter / "docs/mine.png").write_bytes(b"\x89PNG react-flask-app \xff")
    commit(own_starter)
    done = make_it_yours(own_starter, "Book Shelf")
    assert done.returncode == 0, done.stderr
    left = done.stdout.split("left as it is:\n")[1].split("\n\n")[0]
    assert "  LICENSE" in left.splitlines()
    assert (own_starter / "LICENSE").read_text() == "All rights reserved.\n"
    assert [file.name for file in (own_starter / "bench").iterdir()] == ["mine.py"]
    assert (own_starter / "docs/mine.png").read_bytes().endswith(b"app \xff")


def test_what_it_tells_takes_all_of_it_back(own_starter: Path) -> None:
    done = make_it_yours(own_starter, "Book Shelf")
    (command,) = re.findall(r"take all of it back:\n  git (.*)", done.stdout)
    before = git(own_starter, "rev-parse", "HEAD^{tree}")
    git(own_starter, "-c", "user.name=a", "-c", "user.email=a", *command.split())
    assert state(own_starter) == ("", "")
    assert git(own_starter, "rev-parse", "HEAD^{tree}") == before
