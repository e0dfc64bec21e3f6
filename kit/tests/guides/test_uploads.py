"""docs/uploads.md: what somebody has who follows it.

The contract: the project is green; a file comes back as it was sent, also in parts;
what its author decides of it (name, type, content) harms nobody; one that is too large,
or cannot be written whole, leaves nothing behind, and the page says why.
"""

import contextlib
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from guides.following import assert_all_green, follow
from playwright.sync_api import Page, expect
from projects import copy_project
from servers import ROOT, ask, developing, edit, get, serving, succeed
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

PICTURE = (ROOT / "docs/page.png").read_bytes()
PDF = b"%PDF-1.7 and so on"
SCRIPT = b"<script>document.title = 'ran'</script>"
# More than FLASK_MAX_CONTENT_LENGTH.
TOO_LARGE = PDF + bytes(20_000_000)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("uploads"))
    follow(project, "uploads.md")
    return project


def test_the_project_is_green(project: Path) -> None:
    assert_all_green(project)


@pytest.fixture(scope="module")
def shelf(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """Serve the built project; give its address, and the folder of the files."""
    succeed(project, "build")
    data = tmp_path_factory.mktemp("data")
    with serving(project, workers=2, FLASK_INSTANCE_PATH=str(data)) as server:
        yield SimpleNamespace(url=server.url, folder=data / "uploads")


def upload(
    url: str, content: bytes, name: str = "plan.pdf", kind: str = "application/pdf"
) -> tuple[int, dict]:
    """Send a file as a form does; return the status and what it says."""
    file = FileStorage(BytesIO(content), name, content_type=kind)
    boundary, body = encode_multipart({"file": file})
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return ask(urllib.request.Request(f"{url}/files", body, headers))


def download(url: str, **headers: str) -> tuple[int, Message, bytes]:
    """Return the status, the headers and the body."""
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request) as response:
        return response.status, response.headers, response.read()


def names_in(folder: Path) -> set[str]:
    return set(os.listdir(folder)) if folder.exists() else set()


def test_a_file_comes_back_whole_and_in_parts(shelf: SimpleNamespace) -> None:
    status, file = upload(shelf.url, PICTURE, "page.png", "image/png")
    assert status == 201
    address = shelf.url + file["url"]
    status, headers, body = download(address)
    assert (status, body) == (200, PICTURE)
    assert headers["Content-Type"] == "image/png"
    assert headers["Content-Disposition"] == "attachment; filename=page.png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, headers, body = download(address, Range="bytes=10-19")
    assert (status, body) == (206, PICTURE[10:20])
    assert file in get(f"{shelf.url}/files")[1]


@pytest.mark.parametrize(
    "name",
    [
        "../../escaped.pdf",
        "/etc/escaped.pdf",
        "..\\escaped.pdf",
        ".hidden",
        "page.html",
        "Übergröße 図.pdf",
        "図.pdf",
        "x" * 300 + ".pdf",
        'a"; filename="page.html',
    ],
)
def test_the_name_of_its_author_harms_nobody(shelf: SimpleNamespace, name: str) -> None:
    before = names_in(shelf.folder)
    data_before = names_in(shelf.folder.parent)
    sent = [upload(shelf.url, PDF, name) for _ in range(2)]
    assert [status for status, _ in sent] == [201, 201]
    new = names_in(shelf.folder) - before
    # The second one is not written over the first.
    assert len(new) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}-[\w.-]{1,80}\.pdf", file) for file in new)
    assert names_in(shelf.folder.parent) <= data_before | {"uploads"}
    assert not list(shelf.folder.parent.parent.glob("escaped*"))
    for _, file in sent:
        _, headers, body = download(shelf.url + file["url"])
        assert body == PDF
        assert "html" not in headers["Content-Disposition"].replace("_html", "")


@pytest.mark.parametrize("content", [SCRIPT, b"<svg/>", b"GIF89a", b"", b"x" + PDF])
def test_the_content_decides_what_is_kept(
    shelf: SimpleNamespace, content: bytes
) -> None:
    before = names_in(shelf.folder)
    status, said = upload(shelf.url, content, "page.png", "image/png")
    assert status == 422
    assert said["errors"] == [
        {"pointer": "#/file", "detail": "Choose a PNG, JPEG, WebP or PDF file."}
    ]
    assert names_in(shelf.folder) == before


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\n\n\n\nWEBPVP8 ", "image/webp"),
        (b"%PDF-1.7", "application/pdf"),
    ],
)
def test_the_content_decides_the_type(
    shelf: SimpleNamespace, content: bytes, kind: str
) -> None:
    _, file = upload(shelf.url, content, "page.html", "text/html")
    assert file["type"] == kind
    assert download(shelf.url + file["url"])[1]["Content-Type"] == kind


def test_what_somebody_uploads_is_saved_and_does_not_run(
    shelf: SimpleNamespace, page: Page
) -> None:
    upload(shelf.url, PDF + SCRIPT, "page.html", "text/html")
    page.goto(shelf.url)
    title = page.title()
    with page.expect_download() as saved:
        page.get_by_role("link", name="page.pdf").first.click()
    assert saved.value.suggested_filename == "page.pdf"
    assert saved.value.path().read_bytes() == PDF + SCRIPT
    assert page.title() == title


@pytest.mark.parametrize("path", ["../jobs.db", "%2e%2e%2fsecret", "..%5csecret"])
def test_nothing_else_can_be_got(shelf: SimpleNamespace, path: str) -> None:
    upload(shelf.url, PDF)
    (shelf.folder.parent / "secret").write_text("secret")
    assert get(f"{shelf.url}/files/{path}")[0] == 404


def test_the_limit_of_the_route_holds_in_place_of_that_of_the_app(
    shelf: SimpleNamespace, project: Path, tmp_path: Path
) -> None:
    """A smaller one, and a larger one."""
    before = names_in(shelf.folder)
    status, said = upload(shelf.url, PDF + bytes(10_000_000))
    assert status == 413
    assert (
        said["detail"] == "The body of the request may have at most 10,000,000 bytes."
    )
    assert names_in(shelf.folder) == before
    data = {"FLASK_INSTANCE_PATH": str(tmp_path)}
    with serving(project, FLASK_MAX_CONTENT_LENGTH="1000", **data) as server:
        assert upload(server.url, PDF + bytes(9_000_000))[0] == 201


def test_the_page_says_that_a_file_is_too_large_and_takes_another(
    shelf: SimpleNamespace, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "large.pdf"
    file.write_bytes(TOO_LARGE)
    page.goto(shelf.url)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(
        page.get_by_text("The file is too large. The body of the request may have")
    ).to_be_visible()
    file.write_bytes(PDF)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("link", name="large.pdf")).to_be_visible()
    expect(page.get_by_text("too large")).to_be_hidden()


def test_the_page_is_busy_meanwhile_and_sends_a_file_once(
    shelf: SimpleNamespace, page: Page, tmp_path: Path
) -> None:
    held = []
    file = tmp_path / "once.pdf"
    file.write_bytes(PDF)

    def hold(route: object) -> None:
        route.continue_() if route.request.method == "GET" else held.append(route)

    page.route("**/files", hold)
    page.goto(shelf.url)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Uploading…").click(force=True)
    page.get_by_role("button", name="Uploading…").press("Enter")
    held.pop().continue_()
    expect(page.get_by_role("link", name="once.pdf")).to_have_count(1)
    expect(page.get_by_role("button", name="Upload", exact=True)).to_be_visible()
    assert held == []


@pytest.mark.skipif(os.name == "nt", reason="needs a limit of files")
def test_nothing_half_written_stays(project: Path, tmp_path: Path) -> None:
    """A disk that is full, or here the largest file that the system lets it write."""
    data = {"FLASK_INSTANCE_PATH": str(tmp_path / "data")}
    with largest_file(200_000), serving(project, **data) as server:
        status, _ = upload(server.url, PDF + bytes(300_000))
        assert status == 500
        assert names_in(tmp_path / "data/uploads") == set()
        assert upload(server.url, PDF)[0] == 201


@contextlib.contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no process that is started meanwhile write a file beyond a size."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_is_being_written_is_not_in_the_list(
    shelf: SimpleNamespace,
) -> None:
    _, file = upload(shelf.url, PDF)
    (shelf.folder / f".{'0' * 32}-half.pdf").write_bytes(PDF[:5])
    listed = get(f"{shelf.url}/files")[1]
    assert file in listed
    assert not [name for name in listed if "half" in name["url"]]


def test_a_picture_is_shown_in_development(project: Path, page: Page) -> None:
    with developing(project) as (_command, url):
        page.goto(url)
        page.get_by_label("File").set_input_files(ROOT / "docs/page.png")
        page.get_by_role("button", name="Upload").click()
        picture = page.get_by_role("listitem").locator("img")
        expect(picture).to_be_visible()
        loaded = "picture => picture.decode().then(() => picture.naturalWidth)"
        assert picture.evaluate(loaded) > 0
    assert len(names_in(project / "api/instance/uploads")) == 1


def test_an_html_file_does_not_run_even_if_html_is_allowed(
    project: Path, tmp_path_factory: pytest.TempPathFactory, page: Page
) -> None:
    """As the page says: never without the attachment."""
    copy = copy_project(tmp_path_factory.mktemp("html"))
    for name in ("api.py", "files.py"):
        text = (project / "api" / name).read_text(encoding="utf-8")
        (copy / "api" / name).write_text(text, encoding="utf-8")
    allowed = 'KINDS = {\n    ".html": ("text/html", re.compile(rb"<")),'
    edit(copy / "api/files.py", "KINDS = {", allowed)
    with serving(copy, FLASK_INSTANCE_PATH=str(copy / "data")) as server:
        _, file = upload(server.url, SCRIPT, "page.html", "text/html")
        with page.expect_download(), contextlib.suppress(Exception):
            page.goto(server.url + file["url"])
        assert page.title() != "ran"


def test_the_limits_are_where_the_page_says() -> None:
    site = (ROOT / "deploy/nginx/site.conf").read_text(encoding="utf-8")
    assert "client_max_body_size 16000000;" in site
    ingress = ROOT / "deploy/kubernetes/base/ingress.yaml"
    assert "proxy-body-size: 17m" in ingress.read_text(encoding="utf-8")
