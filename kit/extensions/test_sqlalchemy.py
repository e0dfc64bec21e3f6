"""Flask-SQLAlchemy with Flask-Migrate, as their authors show them.

The contract: a relative SQLite path is one in the instance folder, migrations run by
the `flask` command, and each request gives its connection back, whatever becomes of it.
The pool has one connection: a session that is kept would hold up the next request.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from flask import Flask, request, stream_with_context
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from react_flask_kit import Kit
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from servers import Server, run_flask


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Book(db.Model):
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


def titles() -> list[str]:
    return list(db.session.scalars(db.select(Book.title).order_by(Book.id)))


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///books.db"
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": 1,
        "max_overflow": 0,
        "pool_timeout": 5,
    }
    kit = Kit(app)
    db.init_app(app)
    Migrate(app, db)

    @kit.ready_check
    def database() -> None:
        db.session.execute(db.text("select 1"))

    @app.get("/books")
    def read() -> list[str]:
        return titles()

    @app.post("/books")
    def write() -> tuple[dict, int]:
        book = Book(title=request.json["title"])
        db.session.add(book)
        db.session.commit()
        return {"id": book.id}, 201

    @app.get("/crash")
    def crash() -> None:
        db.session.add(Book(title="never committed"))
        db.session.flush()
        raise RuntimeError("after a flush")

    @app.get("/stream")
    def stream() -> Iterator[str]:
        @stream_with_context
        def lines() -> Iterator[str]:
            for title in titles():
                yield f"{title}\n"

        return lines()

    @app.get("/pool")
    def pool() -> dict[str, int]:
        return {"taken": db.engine.pool.checkedout()}

    return app


def test_a_database_is_migrated_written_read_and_let_go(
    serve: Callable[..., AbstractContextManager[Server]], tmp_path: Path
) -> None:
    run_flask(tmp_path, "db", "init")
    run_flask(tmp_path, "db", "migrate", "-m", "books")
    run_flask(tmp_path, "db", "upgrade")
    assert (tmp_path / "instance" / "books.db").exists()

    with serve() as server:
        assert server.post("/books", {"title": "Emma"}).json == {"id": 1}
        assert server.post("/books", {"title": "Ulysses"}).status == 201
        assert server.get("/books").json == ["Emma", "Ulysses"]

        paths = ["/crash", "/books", "/stream", "/ready", "/books?2", "/crash?2"]
        statuses = [answer.status for answer in server.get_together(paths)]
        assert statuses == [500, 200, 200, 200, 200, 500], server.output
        assert server.get("/stream").text == "Emma\nUlysses\n"
        assert server.get("/books").json == ["Emma", "Ulysses"]
        assert server.get("/pool").json == {"taken": 0}
