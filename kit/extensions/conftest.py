"""Fixtures: the app of a test module, under either server."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from servers import Server, put_app, serving


@pytest.fixture(params=["development", "production"])
def serve(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[..., AbstractContextManager[Server]]:
    """Return what serves the app of this module for the length of a `with` block.

    Its arguments are environment variables, and it yields a Server.
    """
    if os.name == "nt":
        pytest.skip("Unix's groups of processes")
    put_app(request.module.__file__, tmp_path)
    return partial(serving, request.param, tmp_path)


@pytest.fixture
def server(serve: Callable[..., AbstractContextManager[Server]]) -> Iterator[Server]:
    """Serve the app of this module, with a secret key and no other setting."""
    with serve(FLASK_SECRET_KEY="k" * 32) as running:
        yield running
