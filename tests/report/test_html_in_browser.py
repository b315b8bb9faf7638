# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser: Chromium loads it, says nothing, asks nobody, and it fits."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chromium import CHROMIUM, Chromium
from sample_builds import copy_tiny
from west_dfu_ble import cli

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed"),
]
REPOSITORY = Path(__file__).resolve().parents[2]
# CSS pixels that the page is wider than the window.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Elements that stick out of it and are not in a box of their own that scrolls.
OUTSIDE = """[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll')
  && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    chromium = Chromium(tmp_path_factory.mktemp("profile"))
    yield chromium
    chromium.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of both samples, of a failing build with hostile names, and of rehearsals."""
    folder = tmp_path_factory.mktemp("pages")
    tiny = copy_tiny(folder / "tiny")
    hostile = tiny / "<b onclick=alert(1)>"
    shutil.copytree(tiny / "build-swap", hostile)
    config = hostile / "zephyr/.config"
    text = config.read_text(encoding="utf-8")
    text = text.replace("CONFIG_CAF_BLE_SMP=y", "# CONFIG_CAF_BLE_SMP is not set")
    text = text.replace(
        'CONFIG_BOARD="', 'CONFIG_BOARD="<img src=x onerror=alert(1)>' + "long" * 40
    )
    config.write_text(text, encoding="utf-8")
    for name, build in (("swap", "build-swap"), ("xip", "build-direct-xip")):
        report = f"html:{folder}/rehearse-{name}.html"
        arguments = ("-d", str(tiny / build), "--speed", "max", "--report", report)
        assert cli.main(["rehearse", *arguments]) == 0
        check = ("-d", str(tiny / build), "--report", f"html:{folder}/check-{name}.html")
        assert cli.main(["check", *check]) == 0
    failing = ("-d", str(hostile), "--report", f"html:{folder}/failing.html")
    assert cli.main(["check", *failing]) == 3
    assert cli.main(["check", "--all", str(tiny), "--report", f"html:{folder}/all.html"]) == 3
    return folder


EVERY = {
    "check-swap": ("svg.map", "table", "dl"),
    "check-xip": ("svg.map", "table", "dl"),
    "rehearse-swap": (".timeline rect.step", ".plot .area", "svg.map", "details pre"),
    "rehearse-xip": (".timeline rect.step", ".plot .area", "svg.map", "details pre"),
    "failing": ("article.finding pre", "svg.map", ".counts"),
    "all": ("nav a[href='#build-3']", ".build article.finding"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("name", list(EVERY))
def test_page(browser: Chromium, pages: Path, name: str, width: int, scheme: str) -> None:
    path = pages / f"{name}.html"
    browser.open(path, width=width, scheme=scheme)
    assert browser.complaints() == []
    assert browser.requests() == [path.as_uri()]
    assert browser.evaluate(OVERFLOW) <= 0
    browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.evaluate(OUTSIDE) == []
    assert browser.evaluate(OVERFLOW) <= 0
    for selector in EVERY[name]:
        element = f"document.querySelector({selector!r})"
        assert browser.evaluate(f"{element}?.getBoundingClientRect().width > 0"), selector
    assert browser.evaluate("document.scripts.length + document.images.length") == 0
    assert "dfu-ble" in browser.evaluate("document.title")
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(246, 247, 249)") == (scheme == "light")
