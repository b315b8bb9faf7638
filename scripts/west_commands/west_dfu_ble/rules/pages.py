# SPDX-License-Identifier: Apache-2.0
"""Write the rules' pages: ``python -m west_dfu_ble.rules.pages docs/rules``.

The pages are the rules' own text; a test fails while they are out of step.
"""

from __future__ import annotations

import sys
from pathlib import Path

from .documentation import catalogue, rule_page

_HEAD = """\
# The rules

Made from the rules themselves; `west dfu-ble explain CODE` prints the same text.

| code | name | category | finds that |
| --- | --- | --- | --- |
"""


def pages() -> dict[str, str]:
    """Return file name -> text of every page, the list of them (`README.md`) included."""
    rows = [
        f"| [{doc.code}]({doc.code}.md) | {doc.name} | {doc.category.value} | {doc.summary} |\n"
        for doc in catalogue()
    ]
    files = {f"{doc.code}.md": rule_page(doc) for doc in catalogue()}
    return {"README.md": _HEAD + "".join(rows), **files}


def write_pages(folder: Path) -> None:
    """Write every page into `folder` and remove those of rules that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.md"):
        if path.name not in pages():
            path.unlink()
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
