"""The README says what is true."""

import json
import re

from servers import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_it_names_every_command_and_no_other() -> None:
    scripts = json.loads((ROOT / "package.json").read_text())["scripts"]
    commands = README.split("## Commands")[1].split("## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \|", commands, re.M)
    named = {name.split()[0] for row in rows[1:] for name in re.findall("`(.+?)`", row)}
    assert named == set(scripts) - {"preinstall"}
    used = set(re.findall(r"(?:npm run|yarn) ([a-z][\w-]*)", README))
    assert used - {"install"} <= set(scripts)


def test_it_names_every_file_that_a_newcomer_meets() -> None:
    layout = README.split("```\napi/api.py")[1].split("```")[0]
    for place in re.findall(r"^(\S+)", "api/api.py" + layout, re.M):
        assert list(ROOT.glob(place)), place


def test_its_versions_are_those_that_the_project_checks() -> None:
    node = json.loads((ROOT / "package.json").read_text())["engines"]["node"]
    python = (ROOT / "pyproject.toml").read_text()
    oldest_node = re.search(r"(\d+\.\d+) or newer and", README)[1]
    oldest_python = re.search(r"/\) (\d+\.\d+) or newer", README)[1]
    assert node.startswith(f"^{oldest_node}.0 ")
    assert f'requires-python = ">={oldest_python}"' in python
