"""src/api.js, in a browser, against Flask.

The contract: what is sent arrives as what it is, and what goes wrong is an error that
says which kind it is, what to tell the person, and which field is meant.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

# Calls a function body that has `getJson` and `send`; an error becomes what it holds.
RUN = """async (body) => {
  const { getJson, send } = await import('/src/api.js');
  const run = Object.getPrototypeOf(async () => {}).constructor;
  try {
    return await new run('getJson', 'send', body)(getJson, send);
  } catch ({ name, message, status, fields, problem }) {
    return { name, message, status, fields, title: problem?.title };
  }
}"""


@pytest.fixture
def run(page: Page, site: str) -> Callable[[str], object]:
    """Run a piece of code in the page that imports src/api.js."""
    # The policy of a page of ours refuses to run a text, as this test does.
    page.route("**/blank", lambda route: route.fulfill(content_type="text/html"))
    page.goto(f"{site}/blank")
    return lambda body: page.evaluate(RUN, body)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_value_is_sent_as_json_by_any_method(
    run: Callable[[str], dict], method: str
) -> None:
    answer = run(f"return send('{method}', '/echo', {{ a: [1, null, 'ä'] }})")
    assert answer["method"] == method
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["body"] == '{"a":[1,null,"ä"]}'


@pytest.mark.parametrize("value", ["null", "0", "''", "false"])
def test_a_value_that_is_nothing_is_json_too(
    run: Callable[[str], dict], value: str
) -> None:
    answer = run(f"return send('POST', '/echo', {value})")
    assert answer["body"] == value.replace("'", '"')


def test_without_a_value_nothing_is_sent(run: Callable[[str], dict]) -> None:
    answer = run("return send('POST', '/echo')")
    assert answer["body"] == ""
    assert "Content-Type" not in answer["headers"]


def test_a_form_is_sent_with_its_files(run: Callable[[str], dict]) -> None:
    answer = run("""
        const form = new FormData();
        form.append('title', 'Emma');
        form.append('cover', new File(['a picture'], 'cover.png'));
        return send('POST', '/sent', form);
    """)
    assert answer == {"form": {"title": "Emma"}, "files": {"cover": "a picture"}}
    answer = run("return send('POST', '/sent', new URLSearchParams({ a: 'b c' }))")
    assert answer["form"] == {"a": "b c"}


def test_a_204_is_an_answer_without_a_value(run: Callable[[str], object]) -> None:
    assert run("return (await send('DELETE', '/items/1')) === undefined") is True


@pytest.mark.parametrize(
    ("code", "status", "message", "fields"),
    [
        (
            "send('POST', '/people', {})",
            422,
            "422 Unprocessable Entity:\nThe person is incomplete.",
            {"age": "must be a positive integer"},
        ),
        ("getJson('/for-members')", 401, "401 Unauthorized:\nSign in first.", {}),
        ("getJson('/items/10')", 404, "404 Not Found:\nThere is no item 10.", {}),
        (
            "send('POST', '/echo', 'x'.repeat(16_000_001))",
            413,
            "413 Request Entity Too Large:\n"
            "The body of the request may have at most 16,000,000 bytes.",
            {},
        ),
        ("getJson('/report.csv')", 200, "Expected JSON, got text/csv from /r", {}),
        ("getJson('http://localhost:9')", 0, "The server could not be reached", {}),
    ],
    ids=["fields", "sign-in", "absent", "too large", "no JSON", "no server"],
)
def test_what_goes_wrong_is_told(
    run: Callable[[str], dict], code: str, status: int, message: str, fields: dict
) -> None:
    error = run(f"return {code}")
    assert error["message"].startswith(message)
    assert (error["status"], error["fields"]) == (status, fields)


def test_who_gives_up_gets_an_abort_error(run: Callable[[str], dict]) -> None:
    error = run("""
        const request = new AbortController();
        const answer = send('POST', '/echo', {}, request);
        request.abort();
        return answer;
    """)
    assert error["name"] == "AbortError"


@pytest.mark.parametrize("cookie", ["csrf_token", "csrf_access_token"])
def test_the_token_of_a_cookie_goes_with_what_changes_something_here(
    run: Callable[[str], dict], page: Page, cookie: str
) -> None:
    page.context.add_cookies(
        [
            {"name": "other_csrf_token", "value": "wrong", "url": page.url},
            {"name": cookie, "value": "swordfish", "url": page.url},
        ]
    )
    try:
        told = run("return send('POST', '/echo', {})")["headers"]
        assert told["X-Csrf-Token"] == "swordfish"
        assert "X-Csrf-Token" not in run("return getJson('/echo')")["headers"]
        # To another origin it would need a preflight, which nobody here allows.
        elsewhere = page.url.replace("localhost", "127.0.0.1").replace("blank", "echo")
        sent = []
        page.on("request", lambda request: sent.append(request.headers))
        run(f"return send('POST', '{elsewhere}', new URLSearchParams())")
        assert [headers for headers in sent if "x-csrf-token" in headers] == []
        assert len(sent) == 1
    finally:
        page.context.clear_cookies()
