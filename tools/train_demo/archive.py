"""Data stage: reads the package archive's metadata that apt already holds.

One record a package: control fields and the long English description, with
the split ("train", "valid", "test") drawn by source-package family so that
sibling packages never lie on both sides.
"""

import glob
import hashlib
import json
import re
import subprocess

APT_HELPER = "/usr/lib/apt/apt-helper"
LISTS = "/var/lib/apt/lists"
KEPT_FIELDS = ("Package", "Source", "Version", "Architecture", "Section",
               "Priority", "Maintainer", "Installed-Size", "Depends",
               "Homepage", "Tag", "Description", "Description-md5")
MIN_DESCRIPTION = 40  # characters
TEST_PERCENT, VALID_PERCENT = 8, 3


def stanzas(text):
    """Yields one dict of fields a stanza; continuation lines keep newlines."""
    for block in text.split("\n\n"):
        fields, key = {}, None
        for line in block.split("\n"):
            if line[:1] in (" ", "\t"):
                if key:
                    fields[key] += "\n" + line
            elif ":" in line:
                key, _, value = line.partition(":")
                fields[key] = value.strip()
        if fields:
            yield fields


def read_translations():
    """Maps Description-md5 to the long description."""
    found = {}
    for path in sorted(glob.glob(LISTS + "/*i18n_Translation-en*")):
        text = subprocess.run([APT_HELPER, "cat-file", path], check=True,
                              capture_output=True).stdout.decode("utf-8")
        for fields in stanzas(text):
            if "Description-md5" in fields and "Description-en" in fields:
                found[fields["Description-md5"]] = fields["Description-en"]
    return found


def flowing_text(lines):
    """Description body lines to paragraphs, as a reader would see them."""
    paragraphs, current = [], []
    for line in lines:
        line = line.strip()
        if line == ".":
            paragraphs.append(" ".join(current))
            current = []
        else:
            current.append(line)
    paragraphs.append(" ".join(current))
    return "\n".join(re.sub(r"\s+", " ", p) for p in paragraphs if p)


def family(source):
    """Source name without its versions: gcc-11 and gcc-12 stay together."""
    name = re.sub(r"[-.]?v?\d[\d.]*", "", source)
    return name or source


def split_of(source):
    digest = hashlib.sha256(family(source).encode()).digest()
    draw = int.from_bytes(digest[:4], "big") % 100
    if draw < TEST_PERCENT:
        return "test"
    return "valid" if draw < TEST_PERCENT + VALID_PERCENT else "train"


def fingerprint(package, text):
    """Equal for descriptions that differ in name, digits or case only."""
    text = text.lower().replace(package.lower(), "@")
    text = re.sub(r"[\W\d_]+", " ", text)
    return hashlib.sha256(text[:400].encode()).hexdigest()


def read_packages():
    translations = read_translations()
    if not translations:
        raise SystemExit(
            "no Translation-en lists under " + LISTS +
            "; run: apt-get -o Acquire::Languages=en update")
    dump = subprocess.run(["apt-cache", "dumpavail"], check=True,
                          capture_output=True).stdout.decode("utf-8")
    packages = {}
    for fields in stanzas(dump):
        fields = {k: v for k, v in fields.items() if k in KEPT_FIELDS}
        description = translations.get(fields.get("Description-md5"))
        if not description or len(description) <= MIN_DESCRIPTION:
            continue
        lines = description.split("\n")
        record = {k.lower().replace("-", "_"): re.sub(r"\s+", " ", v)
                  for k, v in fields.items()
                  if k not in ("Description", "Description-md5")}
        record["short"] = lines[0].strip()
        record["long"] = flowing_text(lines[1:])
        source = record.get("source", record["package"]).split(" ")[0]
        record["source"] = source
        record["split"] = split_of(source)
        packages[record["package"]] = record
    return [packages[name] for name in sorted(packages)]


def drop_repeats(packages):
    """Keeps one of each description; train wins, so held-out text is new."""
    order = {"train": 0, "valid": 1, "test": 2}
    seen, kept = set(), []
    for record in sorted(packages, key=lambda r: order[r["split"]]):
        mark = fingerprint(record["package"],
                           record["short"] + " " + record["long"])
        if mark not in seen:
            seen.add(mark)
            kept.append(record)
    return sorted(kept, key=lambda r: r["package"])


def archive_release():
    text = subprocess.run(["apt-cache", "policy"], check=True,
                          capture_output=True).stdout.decode()
    return re.findall(r"release v=([^,]*),.*?n=([^,]*)", text)


def run(work, say):
    say("data: reading the archive's metadata")
    packages = read_packages()
    kept = drop_repeats(packages)
    lines = "".join(json.dumps(r, sort_keys=True) + "\n" for r in kept)
    (work / "packages.jsonl").write_text(lines)
    counts = {s: sum(r["split"] == s for r in kept)
              for s in ("train", "valid", "test")}
    about = {"read": len(packages), "kept": len(kept), "split": counts,
             "sha256": hashlib.sha256(lines.encode()).hexdigest(),
             "releases": sorted({f"{n} {v}" for v, n in archive_release()}),
             "characters": sum(len(r["short"]) + len(r["long"])
                               for r in kept)}
    (work / "data.json").write_text(json.dumps(about, indent=1) + "\n")
    say(f"data: {about}")


def load(work, split=None):
    with open(work / "packages.jsonl") as lines:
        records = [json.loads(line) for line in lines]
    return [r for r in records if split in (None, r["split"])]


def description(record):
    """The text of one package: its short line, then its paragraphs."""
    return record["short"] + ".\n" + record["long"]
