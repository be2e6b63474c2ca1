#!/usr/bin/env python3
"""Compares the SBOM of an image with its files. sbom_test.py ROOT

Each library must be one of a package that the SBOM names, by the records of the
packages that lie in the image.
"""

import json
import pathlib
import re
import sys


def main() -> None:
    root = pathlib.Path(sys.argv[1])
    sbom = json.loads(
        (root / "usr/share/deberta-server/sbom.cdx.json").read_text("utf-8"))
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    named = {c["name"]: c for c in sbom["components"]}
    assert len(named) == len(sbom["components"]), "a package twice"
    records = {p.name: p.read_text("utf-8")
               for p in (root / "var/lib/dpkg/status.d").iterdir()}
    assert records.keys() == named.keys(), records.keys() ^ named.keys()
    for name, record in records.items():
        version = re.search(r"^Version: (.*)$", record, re.M)[1]
        assert named[name]["version"] == version, (name, version)
        assert named[name]["purl"].startswith("pkg:deb/debian/"), name
        licence = root / "usr/share/doc" / name / "copyright"
        assert licence.stat().st_size > 0, licence
    # Their names go on with a version.
    for wanted in ("libc6", "libdnnl", "libgrpc++", "ca-certificates"):
        assert any(name.startswith(wanted) for name in named), wanted
    libraries = [p for p in root.rglob("*.so*") if p.is_file()]
    assert len(libraries) > 20, libraries
    print(f"sbom: {len(named)} packages, {len(libraries)} libraries")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
