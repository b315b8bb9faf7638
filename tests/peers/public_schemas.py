# SPDX-License-Identifier: Apache-2.0
"""The public schemas of our report formats, and what judges by them.

SARIF's is OASIS' own JSON Schema, JUnit's the XSD of Jenkins' xUnit plugin; both stand in source
distributions of Python packages. Nothing in Python's library judges XML by an XSD, so that the
wheels of `xmlschema` are kept beside them, for a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from filelock import FileLock

from source_archives import cache_folder, pip, source_archive

_XML_JUDGE = {
    "xmlschema==3.4.5": "c91a2fca387dc4e8a2f2cb4a411ed23bef9da539968e5d858a3fe7f76a65464e",
    "elementpath==4.8.0": "5393191f84969bcf8033b05ec4593ef940e58622ea13cefe60ecefbbf09d58d9",
}
_JUDGE = """\
import sys, xmlschema
for error in xmlschema.XMLSchema(sys.argv[1]).iter_errors(sys.argv[2]):
    print(error.path, error.reason)
"""


def sarif_schema() -> dict[str, Any]:
    """Return OASIS' schema of SARIF 2.1.0, or skip the test."""
    folder = source_archive(
        "sarif_pydantic",
        "0.6.2",
        "634df2784533fcac8e86f0c60a0e45ead1d35452dc2331d32596275595906e7f",
    )
    schema: dict[str, Any] = json.loads(
        (folder / "sarif-schema-2.1.0.json").read_text(encoding="utf-8")
    )
    return schema


def junit_complaints(report: Path) -> list[str]:
    """Return what Jenkins' schema has against a report, or skip the test."""
    folder = source_archive(
        "pytest", "8.4.2", "86c0d0b93306b961d58d62a4db4879f27fe25513d4b969df351abdddb3c30e01"
    )
    schema = folder / "testing/example_scripts/junit-10.xsd"
    done = subprocess.run(
        [sys.executable, "-c", _JUDGE, str(schema), str(report)],
        env={**os.environ, "PYTHONPATH": str(_xml_judge())},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def _xml_judge() -> Path:
    cache = cache_folder()
    folder = cache / "xmlschema-3.4.5"
    with FileLock(cache / "xmlschema.lock", timeout=300), tempfile.TemporaryDirectory() as scratch:
        if not folder.is_dir():
            pins = Path(scratch) / "requirements.txt"
            lines = [f"{name} --hash=sha256:{digest}\n" for name, digest in _XML_JUDGE.items()]
            pins.write_text("".join(lines), encoding="utf-8")
            target = Path(tempfile.mkdtemp(dir=cache))
            how = ("--require-hashes", "--only-binary", ":all:", "--target", str(target))
            pip("xmlschema 3.4.5", "install", *how, "-r", str(pins))
            target.rename(folder)
    return folder
