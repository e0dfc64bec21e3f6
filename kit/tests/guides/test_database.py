"""docs/database.md: what somebody has who follows it.

The contract: the project is green; nothing fails with "database is locked"; a migration
keeps what refers to its table; the files that it shows for a cluster are valid.
"""

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from guides.following import assert_all_green, blocks_of, follow, npm, post
from guides.tools import kustomize
from projects import copy_project
from servers import clean_env, edit, free_port, get, python_of, serving

PRINT_PRAGMAS = """
from api import app
from models import db
from sqlalchemy import text

with app.app_context():
    for name in ("foreign_keys", "journal_mode", "busy_timeout"):
        print(name, db.session.execute(text(f"PRAGMA {name}")).scalar())
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("database"))
    follow(project, "database.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


@pytest.fixture(scope="module")
def shop(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the project by two processes, with data of its own; give the address."""
    data = str(tmp_path_factory.mktemp("data"))
    with serving(project, workers=2, FLASK_INSTANCE_PATH=data) as server:
        yield server.url


def test_nobody_meets_a_locked_database(shop: str) -> None:
    """Many write at once by two processes, and others read meanwhile."""

    def add(number: int) -> int:
        status = post(f"{shop}/books", {"title": f"Book {number}"})
        assert get(f"{shop}/books")[0] == 200
        return status

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(add, range(200))) == {201}
    assert len(get(f"{shop}/books")[1]) == 200


def test_a_backup_is_whole_and_can_be_restored(project: Path, tmp_path: Path) -> None:
    """The two commands of the page, but for docker and its folder."""
    data = tmp_path / "data"
    with serving(project, FLASK_INSTANCE_PATH=str(data)) as server:
        assert post(f"{server.url}/books", {"title": "Emma"}) == 201
        backup = command_with(".backup(").replace("/data", str(data))
        subprocess.run([sys.executable, "-c", shlex.split(backup)[-1]], check=True)
        assert post(f"{server.url}/books", {"title": "Lost"}) == 201
    restore = command_with("cp /backup.db").replace("/data", str(data))
    script = shlex.split(restore.replace("/backup.db", str(data / "backup.db")))[-1]
    subprocess.run(["sh", "-c", script], check=True)
    with serving(project, FLASK_INSTANCE_PATH=str(data)) as server:
        books = get(f"{server.url}/books")[1]
        assert [book["title"] for book in books] == ["Emma"]


def command_with(text: str) -> str:
    """Return the one command of the page that has a text in it."""
    code = "".join(block.code for block in blocks_of("database.md"))
    (line,) = [line for line in code.splitlines() if text in line]
    return line


def test_a_migration_of_a_table_keeps_what_refers_to_it(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite changes a table by a copy, and drops the old one with its children."""
    grown = copy_project(tmp_path_factory.mktemp("grown"), installed=())
    shutil.rmtree(grown)
    shutil.copytree(project, grown, symlinks=True)
    data = {"FLASK_INSTANCE_PATH": str(grown / "data")}
    edit(
        grown / "api/models.py",
        "def init_app",
        '''class Copy(db.Model):
    """A copy of a book."""

    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(db.ForeignKey("book.id", ondelete="CASCADE"))


def init_app''',
    )
    npm(grown, "run", "flask", "--", "db", "upgrade", **data)
    npm(grown, "run", "flask", "--", "db", "migrate", "-m", "Copies", **data)
    npm(grown, "run", "flask", "--", "db", "upgrade", **data)
    file = grown / "data/app.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("INSERT INTO book (title) VALUES ('Emma')")
        database.execute("INSERT INTO copy (book_id) VALUES (1)")
        database.commit()
    edit(grown / "api/models.py", "title: Mapped[str]", "title: Mapped[str | None]")
    npm(grown, "run", "flask", "--", "db", "migrate", "-m", "Optional", **data)
    with serving(grown, **data) as server:
        # By the release step.
        assert get(f"{server.url}/books")[1] == [{"id": 1, "title": "Emma"}]
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM copy").fetchone() == (1,)
        columns = database.execute("PRAGMA table_info(book)").fetchall()
        assert [column[3] for column in columns if column[1] == "title"] == [0]


def test_foreign_keys_are_checked_while_the_app_serves(project: Path) -> None:
    command = [python_of(project), "-c", PRINT_PRAGMAS]
    said = subprocess.check_output(
        command, cwd=project / "api", env=clean_env(), text=True
    )
    assert said.split() == [
        *("foreign_keys", "1"),
        *("journal_mode", "wal"),
        *("busy_timeout", "15000"),
    ]


def test_the_manifests_are_valid(project: Path) -> None:
    rendered = kustomize(project, "volume")
    kinds = re.findall(r"^kind: (\w+)$", rendered, re.MULTILINE)
    assert {"Deployment", "Job", "PersistentVolumeClaim"} <= set(kinds)
    assert "HorizontalPodAutoscaler" not in kinds


# Debian keeps its programs apart, one folder a version.
POSTGRESQL = shutil.which("initdb") or next(
    iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None
)


@pytest.fixture
def postgresql() -> Iterator[str]:
    """Run a database server of the test's own; give its address."""
    if not POSTGRESQL:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(
            "needs PostgreSQL: apt install postgresql"
        )
    programs, port = Path(POSTGRESQL).parent, free_port()
    # It refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        if user:
            shutil.chown(folder, "postgres")

        def run(program: str, *args: str) -> None:
            command = [*user, programs / program, "-D", f"{folder}/data", *args]
            subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL)

        options = f"-p {port} -h 127.0.0.1 -k {folder} -F"
        run("initdb", "--auth=trust", "--username=app", "--encoding=UTF8")
        run("pg_ctl", "start", "--wait", "--log", f"{folder}/log", "-o", options)
        try:
            yield f"postgres://app@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "--wait", "-m", "immediate")


def test_the_same_project_runs_on_postgresql(project: Path, postgresql: str) -> None:
    npm(project, "run", "add-api", "psycopg[binary]")
    with serving(project, workers=2, DATABASE_URL=postgresql) as server:
        assert post(f"{server.url}/books", {"title": "Emma"}) == 201
        assert get(f"{server.url}/ready") == (200, {"status": "ready"})
        assert [book["title"] for book in get(f"{server.url}/books")[1]] == ["Emma"]
