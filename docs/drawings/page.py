# SPDX-License-Identifier: Apache-2.0
"""Make the pictures of the page from real runs: ``python docs/drawings/page.py``.

Writes the page of a rehearsal, and that of a check which finds something, and lets Chromium (which
must be installed) show the one on a light and the other on a dark screen.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PICTURES = REPOSITORY / "docs" / "pictures"
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# Name -> arguments, whether dark, width and height in CSS pixels.
PAGES: dict[str, tuple[list[str], bool, int, int]] = {
    "page-rehearsal": (["rehearse", "-d", "build-swap"], False, 1000, 1180),
    "page-check": (["check", "-d", "build-direct-xip", "--release"], True, 1000, 1180),
}
# What is wrong in the page of the check: where a person would write it, and what became of it.
_OFF = "CONFIG_MCUMGR_TRANSPORT_BT_AUTHEN"


def make(folder: Path, name: str) -> None:
    """Run the command in a copy of the sample and take a picture of its page."""
    arguments, is_dark, width, height = PAGES[name]
    page = folder / f"{name}.html"
    command = [sys.executable, "-m", "west_dfu_ble", *arguments, "--report", f"html:{page}"]
    subprocess.run(command, cwd=folder / "tiny", check=False, capture_output=True)
    chromium = next(path for path in map(shutil.which, _CHROMIUM) if path)
    subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            f"--window-size={width},{height}",
            f"--screenshot={PICTURES / f'{name}.png'}",
            *(["--blink-settings=preferredColorScheme=0"] if is_dark else []),
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
    )


def main() -> None:
    """Make every picture."""
    made = shutil.ignore_patterns("*_update.bin", "dfu_application.zip*")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(REPOSITORY / "samples" / "tiny", folder / "tiny", ignore=made)
        for file in (
            *(folder / "tiny" / "build-direct-xip").rglob(".config"),
            folder / "tiny" / "prj_direct_xip.conf",
        ):
            text = file.read_text(encoding="utf-8")
            off = f"{_OFF}=n" if file.suffix == ".conf" else f"# {_OFF} is not set"
            file.write_text(text.replace(f"{_OFF}=y", off), encoding="utf-8")
        for picture in PAGES:
            make(folder, picture)


if __name__ == "__main__":
    main()
