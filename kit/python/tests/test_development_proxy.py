"""Behind Vite the app sees what the browser sees; nobody else may say what that is."""

import pytest
from apps import load_app
from development_servers import AS_VITE
from flask import Flask, request, url_for
from react_flask_kit.development_link import Link, join

FORWARDED = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Host": "shop.github.dev",
    "X-Forwarded-Port": "3000",
    "X-Forwarded-Proto": "https",
}


def app_behind_vite(**settings: str) -> Flask:
    app = load_app(DEBUG="1", **settings)

    @app.get("/seen")
    def seen() -> dict:
        return {
            "url": url_for("seen", _external=True),
            "client": request.remote_addr,
            "headers": list(request.headers.keys()),
        }

    @app.get("/folder/")
    def folder() -> str:
        return ""

    join(app, Link(), "127.0.0.1")
    return app


@pytest.mark.parametrize("proxies", ["", "0", "1", "2"])
def test_the_address_is_the_browsers_whatever_flask_proxies_is(proxies: str) -> None:
    client = app_behind_vite(PROXIES=proxies).test_client()
    seen = client.get("/seen", headers=AS_VITE | FORWARDED).get_json()
    assert seen["url"] == "https://shop.github.dev/seen"
    assert seen["client"] == "198.51.100.7"
    assert "X-Flask-Link" not in seen["headers"]
    redirect = client.get("/folder", headers=AS_VITE | FORWARDED)
    assert redirect.headers["Location"] == "https://shop.github.dev/folder/"


def test_the_port_is_that_of_the_browser() -> None:
    client = app_behind_vite().test_client()
    headers = AS_VITE | FORWARDED | {"X-Forwarded-Host": "localhost:3000"}
    seen = client.get("/seen", headers=headers).get_json()
    assert seen["url"] == "https://localhost:3000/seen"


def test_who_asks_the_api_itself_cannot_say_who_he_is() -> None:
    client = app_behind_vite().test_client()
    seen = client.get("/seen", headers=FORWARDED).get_json()
    assert (seen["url"], seen["client"]) == ("http://localhost/seen", "127.0.0.1")


def test_trusted_hosts_are_those_of_the_browser() -> None:
    client = app_behind_vite(TRUSTED_HOSTS="shop.github.dev").test_client()
    mine = AS_VITE | FORWARDED | {"Host": "127.0.0.1:5000"}
    assert client.get("/seen", headers=mine).status_code == 200
    other = mine | {"X-Forwarded-Host": "other.github.dev"}
    assert client.get("/seen", headers=other).status_code == 400


@pytest.mark.parametrize("headers", [{}, AS_VITE | {"Origin": "http://localhost:8080"}])
def test_a_page_cannot_read_the_link(headers: dict[str, str]) -> None:
    client = app_behind_vite().test_client()
    assert client.get("/__flask__", headers=headers).status_code == 404
