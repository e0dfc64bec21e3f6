"""`npm run build` makes build/ as create-react-app did."""

import hashlib
import re
from base64 import b64decode
from pathlib import Path

from servers import succeed


def test_it_builds_the_page_into_build(own_project: Path) -> None:
    succeed(own_project, "build")
    build = own_project / "build"
    html = (build / "index.html").read_text(encoding="utf-8")
    assert "%" not in html
    assert '<div id="root">' in html
    linked = re.findall(r'(?:src|href)="/([^"]+)"', html)
    # The example also asks the API, before its script does.
    assert {name for name in linked if not (build / name).is_file()} <= {"time"}
    names = [re.sub(r"\.[\w-]{8}\.", ".[hash].", name) for name in linked]
    assert "static/js/main.[hash].js" in names
    assert "static/css/main.[hash].css" in names
    assert (build / "robots.txt").is_file()
    signed = re.findall(r'="/(static/[^"]+)" integrity="sha384-([^"]+)"', html)
    assert {name for name, _ in signed} == {n for n in linked if "static/" in n}
    for name, digest in signed:
        content = (build / name).read_bytes()
        assert b64decode(digest) == hashlib.sha384(content).digest()
    assert not list(build.rglob("*.map"))
