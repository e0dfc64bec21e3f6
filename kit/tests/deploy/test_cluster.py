"""Rollouts on a real cluster lose no request, and a broken one never takes traffic.

Needs KUBE_CONTEXT, the name of a context of kubectl whose nodes have the image of
deploy/kubernetes/overlays/minikube; uses a namespace of its own there, and removes it:

    KUBE_CONTEXT=minikube npm run test-kit -- -n0 -rP tests/deploy/test_cluster.py
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers import ROOT, wait_for

CONTEXT = os.environ.get("KUBE_CONTEXT")
NAMESPACE = "react-flask-kit-trial"
DEPLOYMENT = "deployment/app"
ROLLOUTS = 10
# Runs in the cluster, because a Service has no address outside: two clients that open a
# connection for each request, and two that keep theirs, as an ingress controller does.
LOAD = """
import collections, http.client, json, pathlib, sys, threading, time

asked, failed = collections.Counter(), collections.Counter()

def ask_on(keeps):
    kind, connection = "kept" if keeps else "opened", None
    while not pathlib.Path("/tmp/stop").exists():
        is_new = connection is None
        connection = connection or http.client.HTTPConnection(sys.argv[1], timeout=10)
        try:
            connection.request("GET", "/time")
            response = connection.getresponse()
            response.read()
            problem = "" if response.status == 200 else f"status {response.status}"
        except (OSError, http.client.HTTPException) as error:
            problem = f"{type(error).__name__} {error}"
            connection = None
            # RemoteDisconnected is a ConnectionResetError.
            is_closed = isinstance(error, (ConnectionResetError, BrokenPipeError))
            if is_closed and not is_new:
                # Closed while it was idle: HTTP lets a client ask a GET again.
                asked["again"] += 1
                continue
        asked[kind] += 1
        failed[f"{kind}: {problem}"] += bool(problem)
        if not keeps and connection:
            connection = connection.close()
        time.sleep(0.01)

threads = [threading.Thread(target=ask_on, args=[n % 2]) for n in range(4)]
for thread in threads:
    thread.start()
pathlib.Path("/tmp/began").touch()
for thread in threads:
    thread.join()
print(json.dumps({"asked": asked, "failed": +failed}))
"""
# An app that is ready or not, as a file says.
TRIAL_APP = """
import pathlib, time
from flask import Flask
from react_flask_kit import Kit

app = Flask(__name__)
kit = Kit(app)

@kit.ready_check
def has_what_it_needs():
    assert not pathlib.Path("/tmp/not-ready").exists()

@app.get("/time")
def get_current_time():
    return {"time": time.time()}
"""
USE_TRIAL_APP = {
    "volumes": [{"name": "trial", "configMap": {"name": "trial"}}],
    "containers": [
        {
            "name": "app",
            "env": [{"name": "FLASK_APP", "value": "/trial/app.py"}],
            "volumeMounts": [{"name": "trial", "mountPath": "/trial"}],
        }
    ],
}

pytestmark = [
    pytest.mark.skipif(
        not (CONTEXT and shutil.which("kubectl")),
        reason="needs kubectl, and KUBE_CONTEXT to name a cluster to try this on",
    ),
    pytest.mark.timeout(1200),
]


def kubectl(*args: str, check: bool = True, stdin: str | None = None) -> str:
    """Run kubectl in the trial's namespace; return what it prints."""
    done = subprocess.run(
        ["kubectl", "--context", CONTEXT, "--namespace", NAMESPACE, *args],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Deploy the overlay of minikube into a namespace of its own."""
    folder = tmp_path_factory.mktemp("trial")
    overlay = os.path.relpath(ROOT / "deploy/kubernetes/overlays/minikube", folder)
    (folder / "kustomization.yaml").write_text(
        f"namespace: {NAMESPACE}\nresources: [{Path(overlay).as_posix()}]\n"
    )
    manifests = kubectl("kustomize", str(folder))
    try:
        # An old cluster may not know every kind; the rollout tells what matters.
        kubectl("apply", "-f", "-", stdin=manifests, check=False)
        is_rolled_out()
        yield
    finally:
        kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def is_rolled_out() -> None:
    kubectl("rollout", "status", DEPLOYMENT, "--timeout=180s")


def pods() -> list[dict]:
    """Return the pods of the deployment that are not about to end."""
    label = "app.kubernetes.io/name"
    every = json.loads(kubectl("get", "pods", "-l", label, "-o", "json"))["items"]
    return [pod for pod in every if "deletionTimestamp" not in pod["metadata"]]


def addresses() -> set[str]:
    """Return the addresses of the pods that get requests."""
    path = "{.subsets[*].addresses[*].ip}"
    return set(kubectl("get", "endpoints/app", f"-ojsonpath={path}").split())


@contextmanager
def load() -> Iterator[dict]:
    """Ask the Service all the time; afterwards, give how many were asked and failed."""
    app = json.loads(kubectl("get", DEPLOYMENT, "-o", "json"))["spec"]["template"]
    spec = app["spec"]
    container = spec["containers"][0]
    kept = ("image", "imagePullPolicy", "securityContext", "volumeMounts")
    address = kubectl("get", "svc/app", "-ojsonpath={.spec.clusterIP}")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "load"},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": spec["securityContext"],
            "volumes": spec["volumes"],
            "containers": [
                {key: container[key] for key in kept}
                | {"name": "load", "command": ["python", "-c", LOAD, address]}
            ],
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    result: dict = {}
    try:
        wait_for(lambda: has_begun(), "the load", 60)
        yield result
        # The pod may end before the command that ends it.
        kubectl("exec", "load", "--", "touch", "/tmp/stop", check=False)
        wait_for(lambda: phase() in ("Succeeded", "Failed"), "the end of the load", 60)
        result |= json.loads(kubectl("logs", "load"))
        print(result)
    finally:
        kubectl("delete", "pod", "load", "--grace-period=1")


def has_begun() -> bool:
    find = "ls /tmp/began 2>&1 || true"
    said = kubectl("exec", "load", "--", "sh", "-c", find, check=False)
    return said.strip() == "/tmp/began"


def phase() -> str:
    return kubectl("get", "pod", "load", "-ojsonpath={.status.phase}")


def test_two_replicas_are_ready_and_show_the_page() -> None:
    assert len(pods()) == len(addresses()) == 2
    for pod in pods():
        assert "<!doctype html>" in page_of(pod["metadata"]["name"])


def test_ten_rollouts_lose_no_request() -> None:
    before = {pod["metadata"]["name"] for pod in pods()}
    with load() as result:
        for _ in range(ROLLOUTS):
            kubectl("rollout", "restart", DEPLOYMENT)
            is_rolled_out()
    assert before.isdisjoint(pod["metadata"]["name"] for pod in pods())
    assert result["asked"]["opened"] > 100
    assert result["asked"]["kept"] > 100
    assert result["failed"] == {}


def test_a_deleted_pod_is_replaced_and_loses_no_request() -> None:
    name = pods()[0]["metadata"]["name"]
    with load() as result:
        kubectl("delete", "pod", name)
        is_rolled_out()
    assert result["failed"] == {}
    assert name not in {pod["metadata"]["name"] for pod in pods()}


def test_a_killed_process_comes_back_without_a_restart_of_its_pod() -> None:
    name = pods()[0]["metadata"]["name"]
    with load():
        # All but the first process, which starts another one; what they did is lost.
        kubectl("exec", name, "--", "sh", "-c", "kill -KILL -1", check=False)
        wait_for(lambda: is_healthy(name), "the other process")
    with load() as result:
        wait_for(lambda: len(addresses()) == 2, "both replicas")
    assert result["failed"] == {}
    assert restarts() == [0, 0]


def is_healthy(name: str) -> bool:
    return "<!doctype html>" in page_of(name, check=False)


def page_of(name: str, check: bool = True) -> str:
    """Return the page as a pod shows it to itself."""
    ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000').read())"
    return kubectl("exec", name, "--", "python", "-c", ask, check=check)


def test_a_pod_that_is_not_ready_gets_no_request_and_is_not_restarted() -> None:
    before = addresses()
    kubectl("create", "configmap", "trial", f"--from-literal=app.py={TRIAL_APP}")
    patch = {"spec": {"template": {"spec": USE_TRIAL_APP}}}
    kubectl("patch", DEPLOYMENT, "--patch", json.dumps(patch))
    is_rolled_out()
    wait_for(lambda: len(addresses() - before) == 2, "the trial's app")
    name = pods()[0]["metadata"]["name"]
    with load() as result:
        kubectl("exec", name, "--", "touch", "/tmp/not-ready")
        wait_for(lambda: len(addresses()) == 1, "one pod less", 60)
        # Longer than the liveness probe would need to restart it.
        time.sleep(70)
        assert len(addresses()) == 1
        assert is_healthy(name)
        kubectl("exec", name, "--", "rm", "/tmp/not-ready")
        wait_for(lambda: len(addresses()) == 2, "both pods", 60)
    assert result["failed"] == {}
    assert restarts() == [0, 0]
    kubectl("rollout", "undo", DEPLOYMENT)
    is_rolled_out()


def restarts() -> list[int]:
    return [pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods()]


def test_a_release_that_cannot_start_takes_no_traffic_and_can_be_undone() -> None:
    before = addresses()
    with load() as result:
        kubectl("set", "env", DEPLOYMENT, "FLASK_CORS_ORIGINS=this is no origin")
        wait_for(lambda: any(map(is_crashing, pods())), "the crash", 120)
        assert addresses() == before
        kubectl("rollout", "undo", DEPLOYMENT)
        is_rolled_out()
        wait_for(lambda: not any(map(is_crashing, pods())), "the old release", 60)
    assert addresses() == before
    assert result["failed"] == {}


def is_crashing(pod: dict) -> bool:
    statuses = pod["status"].get("containerStatuses", [])
    return any(
        status["restartCount"] > 0 and not status["ready"] for status in statuses
    )
