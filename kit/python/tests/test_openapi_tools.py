"""What other people's tools say of a description, and of the app that it describes.

uv downloads them once.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from apps import served
from described_app import app
from react_flask_kit.description import describe, missing_shapes

VALIDATOR = ("openapi-spec-validator==0.9.0", "openapi-spec-validator")
SCHEMATHESIS = ("schemathesis==4.32.5", "schemathesis", "run")
OPTIONS = """
    --seed=1 --generation-deterministic --max-examples=20 --no-color --warnings=off
"""
# An empty value of a query counts as none; the fuzzer takes it for a null.
CONFIG = """
[[operations]]
include-name = "GET /notes"
checks.negative_data_rejection.enabled = false
"""


def run(tool: str, *command: str, cwd: Path) -> subprocess.CompletedProcess:
    """Run a program of a package that uv installs apart from all others."""
    return subprocess.run(
        [sys.executable, "-m", "uv", "tool", "run", "--from", tool, *command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def test_a_validator_accepts_the_description(tmp_path: Path) -> None:
    document = describe(app)
    (refused,) = missing_shapes(document)
    assert refused.startswith("GET /refused: its answer is not described: ")
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    done = run(*VALIDATOR, "openapi.json", cwd=tmp_path)
    assert done.stdout == "openapi.json: OK\n"


@pytest.mark.timeout(300)
def test_a_fuzzer_finds_no_answer_that_is_not_described(tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    app.config["OPENAPI"] = True
    with served(app) as host:
        url = f"http://{host}/openapi.json"
        done = run(*SCHEMATHESIS, url, *OPTIONS.split(), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
