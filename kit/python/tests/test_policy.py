"""The headers that say what a browser may do with what this site sends.

The contract: one policy in development and production, which common libraries survive;
a setting for each directive; and an answer's own header wins.
"""

import json
import re
import shutil
import subprocess
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from react_flask_kit.policy import (
    DIRECTIVES,
    KEYWORD,
    PERMISSIONS,
    POLICIES,
    Policy,
    content_security_policy,
    script_sources,
    setting_of,
)
from react_flask_kit.settings import SETTINGS

JS = Path(__file__).parents[2] / "node/vite/policy.js"


def settings(**changed: object) -> dict[str, object]:
    return {name: default for name, (default, *_) in SETTINGS.items()} | changed


def csp(index: str = "", **changed: object) -> dict[str, list[str]]:
    """Return the sources of each directive."""
    headers = dict(Policy(settings(**changed), index).of_documents)
    policy = headers[b"content-security-policy"].decode()
    parts = [part.split() for part in policy.split("; ")]
    assert len({part[0] for part in parts}) == len(parts)
    return {part[0]: part[1:] for part in parts}


def test_the_standard_policy_is_what_common_libraries_survive() -> None:
    policy = csp()
    assert list(policy) == list(DIRECTIVES)
    assert policy["script-src"] == policy["default-src"] == ["'self'"]
    # Styles that styled-components and Emotion write, a picture of another host.
    assert policy["style-src"] == ["'self'", "'unsafe-inline'", "https:"]
    for directive in ("img-src", "media-src"):
        assert policy[directive] == ["'self'", "https:", "data:", "blob:"]
    assert {"https:", "wss:"} < set(policy["connect-src"])
    assert "blob:" in policy["worker-src"]
    assert policy["object-src"] == policy["frame-ancestors"] == ["'none'"]
    assert "'unsafe-eval'" not in str(policy)


def test_the_strict_policy_is_for_this_site_alone() -> None:
    policy = csp(CSP="strict")
    assert list(policy) == list(DIRECTIVES)
    assert policy.pop("img-src") == ["'self'", "data:"]
    for directive in ("object-src", "base-uri", "frame-ancestors"):
        assert policy.pop(directive) == ["'none'"]
    assert set(map(tuple, policy.values())) == {("'self'",)}


def test_there_may_be_no_policy_at_all() -> None:
    policy = Policy(settings(CSP="off", PERMISSIONS_POLICY="usb=()"))
    assert policy.of_documents == []
    assert policy.everywhere


@pytest.mark.parametrize("kind", POLICIES)
@pytest.mark.parametrize("directive", DIRECTIVES)
def test_each_directive_has_a_setting_that_adds_to_it(
    directive: str, kind: str
) -> None:
    added = ["https://a.example", "wss://b.example:8000", "blob:"]
    before = csp(CSP=kind)
    after = csp(CSP=kind, **{setting_of(directive): added})
    own = [source for source in before[directive] if source != "'none'"]
    assert after.pop(directive) == [*dict.fromkeys([*own, *added])]
    del before[directive]
    assert after == before


@pytest.mark.parametrize(
    ("source", "written"),
    [
        ("self", "'self'"),
        ("none", "'none'"),
        ("unsafe-inline", "'unsafe-inline'"),
        ("unsafe-eval", "'unsafe-eval'"),
        ("wasm-unsafe-eval", "'wasm-unsafe-eval'"),
        ("sha256-abc=", "'sha256-abc='"),
        ("'unsafe-eval'", "'unsafe-eval'"),
        ("https:", "https:"),
        ("https://self", "https://self"),
    ],
)
def test_a_keyword_is_written_in_its_quotes(source: str, written: str) -> None:
    sources = csp(CSP_WORKER_SRC=[source])["worker-src"]
    assert written in sources
    assert source == written or source not in sources


def test_an_author_may_write_a_directive_as_the_policy_does() -> None:
    added = ["https://a.example", "'wasm-unsafe-eval'"]
    assert csp(CSP_SCRIPT_SRC=" ".join(added)) == csp(CSP_SCRIPT_SRC=added)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("standard", b"camera=(self), geolocation=(self), microphone=(self)"),
        ("strict", b"camera=(), geolocation=(), microphone=()"),
    ],
)
def test_a_page_may_ask_for_the_camera_itself(kind: str, expected: bytes) -> None:
    headers = dict(Policy(settings(CSP=kind)).of_documents)
    assert headers[b"permissions-policy"] == expected
    own = settings(CSP=kind, PERMISSIONS_POLICY="usb=()")
    assert dict(Policy(own).of_documents)[b"permissions-policy"] == b"usb=()"


def test_no_header_cuts_a_popup_from_its_opener() -> None:
    policy = Policy(settings())
    names = {name for name, _ in policy.missing([], True, True)}
    assert b"cross-origin-opener-policy" not in names


def digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


SCRIPTS = {
    "<script>alert(1)</script>": [digest("alert(1)")],
    "<script>\na\n</script><script>b</script>": [digest("\na\n"), digest("b")],
    "<script>a\r\nb\rc</script>": [digest("a\nb\nc")],
    "<script>if (a && b < c) '&amp;<b>';</script>": [
        digest("if (a && b < c) '&amp;<b>';")
    ],
    "<script>'</b>'</script>": [digest("'</b>'")],
    "<script>'é 😀'</script>": [digest("'é 😀'")],
    '<SCRIPT TYPE="module">a</SCRIPT >': [digest("a")],
    "<script></script>": [digest("")],
    '<script src="/static/js/main.js"></script>': [],
    '<script src="static/js/main.js">ignored</script>': [],
    '<script async src="https://cdn.example/a.js?b=c"></script>': [
        "https://cdn.example"
    ],
    "<script src='//cdn.example:8443/a.js'></script>": ["https://cdn.example:8443"],
    "<script src=http://cdn.example/a.js></script>": ["http://cdn.example"],
    "<p>no script</p>": [],
    '<link href="https://fonts.example/a.css"><style>a</style>': [],
}


@pytest.mark.parametrize("html", SCRIPTS)
def test_the_scripts_of_a_document_are_allowed(html: str) -> None:
    assert script_sources(html) == SCRIPTS[html]
    index = f"<!doctype html><head>{html}</head>"
    expected = [*dict.fromkeys(["'self'", *SCRIPTS[html]])]
    assert csp(index)["script-src"] == expected


def test_a_hash_does_not_switch_off_what_a_setting_allows() -> None:
    index = "<script>a</script><script src=https://cdn.example/a.js></script>"
    sources = csp(index, CSP_SCRIPT_SRC=["unsafe-inline"])["script-src"]
    assert sources == ["'self'", "'unsafe-inline'", "https://cdn.example"]


def test_what_an_answer_says_itself_is_left_alone() -> None:
    policy = Policy(settings())
    own = [
        (b"content-security-policy", b"default-src 'none'"),
        (b"permissions-policy", b"usb=()"),
        (b"x-content-type-options", b"own"),
        (b"strict-transport-security", b"max-age=0"),
    ]
    missing = {name for name, _ in policy.missing(own, True, True)}
    assert missing == {b"referrer-policy", b"cross-origin-resource-policy"}


@pytest.mark.parametrize("is_document", [True, False], ids=["document", "data"])
@pytest.mark.parametrize("is_encrypted", [True, False], ids=["https", "http"])
def test_each_kind_of_answer_has_what_it_needs(
    is_document: bool, is_encrypted: bool
) -> None:
    names = {
        name for name, _ in Policy(settings()).missing([], is_document, is_encrypted)
    }
    assert (b"content-security-policy" in names) == is_document
    assert (b"permissions-policy" in names) == is_document
    assert (b"strict-transport-security" in names) == is_encrypted
    assert b"x-content-type-options" in names


@pytest.fixture(scope="module")
def of_development() -> str:
    """Return the code of the development server's policy."""
    if not JS.is_file():
        pytest.skip("this half of the kit stands alone")
    return JS.read_text(encoding="utf-8")


def run_node(code: str) -> object:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here")
    command = [node, "--input-type=module", "--eval", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.usefixtures("of_development")
@pytest.mark.parametrize("kind", POLICIES)
@pytest.mark.parametrize(
    "added",
    [
        {},
        {"script-src": ["unsafe-inline", "https://a.example"]},
        {"object-src": ["https://a.example"], "worker-src": ["none", "sha256-a="]},
    ],
    ids=["", "scripts", "others"],
)
def test_development_sends_the_same_policy_and_what_its_client_needs(
    kind: str, added: dict[str, list[str]]
) -> None:
    scripts = ["'sha256-abc='", "https://cdn.example"]
    lists = {directive: added.get(directive, []) for directive in DIRECTIVES}
    arguments = json.dumps([{"kind": kind, "added": lists}, scripts])
    sent = run_node(
        f"import {{ contentSecurityPolicy }} from {json.dumps(JS.as_uri())};"
        f"console.log(JSON.stringify(contentSecurityPolicy(...{arguments})))"
    )
    own = {setting_of(directive): sources for directive, sources in lists.items()}
    own["CSP_CONNECT_SRC"] = ["ws:"]
    own["CSP_STYLE_SRC"] = ["unsafe-inline"]
    expected = content_security_policy(kind, settings(**own), scripts)
    assert sent == f"{expected}; report-uri /__csp__"


@pytest.mark.usefixtures("of_development")
def test_development_finds_the_same_scripts() -> None:
    sent = run_node(
        f"import {{ scriptSources }} from {json.dumps(JS.as_uri())};"
        f"const documents = {json.dumps([*SCRIPTS])};"
        "console.log(JSON.stringify(documents.map(scriptSources)))"
    )
    assert sent == [*SCRIPTS.values()]


def test_development_knows_the_same_keywords_and_permissions(
    of_development: str,
) -> None:
    (keyword,) = re.findall(r"KEYWORD =\s*/\^\((.+)\)\$/;", of_development)
    assert keyword == KEYWORD.pattern
    for kind, permissions in PERMISSIONS.items():
        assert f"{kind}: '{permissions}'" in of_development
