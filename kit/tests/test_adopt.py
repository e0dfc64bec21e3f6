"""An old create-react-app project moves in by one command, and is not touched."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from projects import copy_project, put_packages
from servers import ROOT, clean_env, succeed

FIXTURE = ROOT / "kit/node/tests/cra_app"
PACKAGE = {
    "name": "old-project",
    "homepage": "https://example.com/old",
    "proxy": "http://localhost:5000/",
    "dependencies": {
        "react": "^18.3.1",
        "react-dom": "^18.3.1",
        "react-scripts": "3.4.4",
        "sass": "1.62.1",
        "web-vitals": "^2.1.0",
    },
    "devDependencies": {
        "@testing-library/jest-dom": "^5.17.0",
        "@testing-library/react": "^13.4.0",
        "eslint-config-airbnb": "^18.0.0",
    },
    "scripts": {"start": "react-scripts start", "lint": "eslint src"},
    "browserslist": {"production": ["chrome 60"], "development": ["last 1 chrome"]},
    "jest": {"resetMocks": True},
}
TITLE = 'REACT_APP_TITLE="The fixture"\n'
ENV = {
    ".env": "REACT_APP_GREETING=Hello from $REACT_APP_TITLE\nREACT_APP_PRICE=\\$5\n"
    f"REACT_APP_COLOR=#010203\nSASS_PATH=src/sass\nSECRET=of-the-api\n{TITLE}",
    ".env.test": "REACT_APP_LOCAL=not in tests\n",
}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "an old project"
    for part in ("src", "public"):
        shutil.copytree(FIXTURE / part, folder / part)
    png = (folder / "src/small.png").read_bytes()
    (folder / "src/big.png").write_bytes(png + bytes(10_000))
    shutil.copy(FIXTURE / "tsconfig.json", folder)
    for name, text in ENV.items():
        (folder / name).write_text(text)
    (folder / "package.json").write_text(json.dumps(PACKAGE, indent=4))
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy = copy_project(tmp_path)
    for command in ("init -q", "add -A", "-c user.name=a -c user.email=a commit -qm a"):
        subprocess.run(["git", "-C", copy, *command.split()], check=True)
    return copy


def state(folder: Path) -> dict[str, tuple[str, int]]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {
        str(file): (
            hashlib.sha256(file.read_bytes()).hexdigest(),
            file.stat().st_mtime_ns,
        )
        for file in files
    }


def adopt(project: Path, folder: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "kit/node", "kit", "adopt", folder],
        cwd=project,
        env=clean_env(),
        capture_output=True,
        encoding="utf-8",
        timeout=110,
        check=False,
    )


def test_an_old_project_moves_in_and_works(project: Path, old: Path) -> None:
    before = state(old)
    done = adopt(project, "../an old project")
    assert done.returncode == 0, done.stdout + done.stderr
    assert state(old) == before
    package = json.loads((project / "package.json").read_text())
    everything = package["dependencies"] | package["devDependencies"]
    assert everything["react"] == "^18.3.1"
    assert "vite-plugin-svgr" in everything
    assert "react-scripts" not in everything
    assert "of-the-api" not in (project / ".env.production").read_text()
    for told in ("scripts: lint (eslint src)", "SECRET", "eslint-config-airbnb"):
        assert told in done.stdout
    put_packages(project, FIXTURE)
    succeed(project, "build", CI="true")
    page = (project / "build/index.html").read_text()
    assert "<title>The fixture</title>" in page
    assert 'src="/old/static/js/main.' in page
    assert re.search(r"Tests +10 passed", succeed(project, "test-frontend"))


def test_what_git_does_not_have_is_not_replaced(project: Path, old: Path) -> None:
    (project / "src/mine.js").write_text("export default 1;\n")
    done = adopt(project, str(old))
    assert done.returncode == 1
    assert "src/mine.js" in done.stderr
    assert "git add -A && git commit" in done.stderr
    assert (project / "src/App.js").exists()
    assert subprocess.check_output(
        ["git", "-C", project, "status", "--short"], text=True
    ) == ("?? src/mine.js\n")
