#!/usr/bin/env python3
"""Writes the JSON schemas that kubeconform reads, as it cannot fetch its own here.

schemas.py OUT CRD_FOLDER VERSION...: Kubernetes' own from the package
kubernetes-validate, those of Prometheus' operator from its CRDs.
"""

import json
import pathlib
import sys

import kubernetes_validate
import yaml


def strict(schema):
    """Objects with named properties have no others."""
    if isinstance(schema, dict):
        if "properties" in schema and not schema.get(
                "x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            strict(value)
    elif isinstance(schema, list):
        for value in schema:
            strict(value)
    return schema


def kubernetes(out, version):
    package = pathlib.Path(kubernetes_validate.__file__).parent
    source = package / f"kubernetes-json-schema/v{version}.0-local-strict"
    if not source.is_dir():
        source = package / f"kubernetes-json-schema/v{version}.0-standalone-strict"
    target = out / f"v{version}.0"
    target.mkdir(parents=True, exist_ok=True)
    definitions = (target / "_definitions.json").resolve().as_uri()
    for path in source.glob("*.json"):
        schema = json.loads(path.read_text("utf-8"))
        schema.pop("$id", None)
        text = json.dumps(schema).replace('"/api/_definitions.json',
                                          f'"{definitions}')
        text = text.replace('"_definitions.json', f'"{definitions}')
        (target / path.name).write_text(text, "utf-8")


def operator(out, folder):
    target = out / "crds"
    target.mkdir(parents=True, exist_ok=True)
    for path in (pathlib.Path(folder, f"monitoring.coreos.com_{name}.yaml")
                 for name in ("prometheusrules", "servicemonitors")):
        definition = yaml.safe_load(path.read_text("utf-8"))
        kind = definition["spec"]["names"]["kind"].lower()
        for version in definition["spec"]["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            (target / f"{kind}_{version['name']}.json").write_text(
                json.dumps(schema), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    operator(pathlib.Path(sys.argv[1]), sys.argv[2])
    for wanted in sys.argv[3:]:
        kubernetes(pathlib.Path(sys.argv[1]), wanted)
