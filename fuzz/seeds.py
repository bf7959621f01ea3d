#!/usr/bin/env python3
"""Copies the documents of tests/conformance into the corpora of the fuzz targets."""
import hashlib
import json
import pathlib

root = pathlib.Path(__file__).resolve().parent
recorded = root.parent / "tests" / "conformance"


def lines(file):
    # Not splitlines: documents hold characters that Python takes for line ends.
    return [json.loads(line) for line in file.read_text().split("\n") if line]


def put(target, data):
    folder = root / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


domains = {entry["name"]: entry["domain"] for entry in lines(recorded / "domains.jsonl")}
for file in sorted(recorded.glob("*.jsonl")):
    if file.name == "domains.jsonl":
        continue
    for case in lines(file):
        latin1 = case.get("backup_latin1", case.get("checkpoint_latin1"))
        backup = latin1.encode("latin-1") if latin1 is not None else case.get("backup", case.get("checkpoint")).encode()
        put("check", backup)
        put("roundtrip", backup)
        if "domain" in case:
            put("backup_and_domain", backup + b"\0" + domains[case["domain"]].encode())
