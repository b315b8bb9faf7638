# SPDX-License-Identifier: Apache-2.0
"""The documentation speaks of what exists: links, codes, actions, options, commands."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path

import pytest

from conf import NAVIGATION
from west_dfu_ble import cli
from west_dfu_ble.faults import FAULTS
from west_dfu_ble.virtual import FaultKind

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted(
    page for where in ("*.md", "docs/**/*.md", "samples/*/*.md") for page in REPOSITORY.glob(where)
)
# Names that a text may not use before they are actions.
PLANNED = {"confirm", "device", "echo", "erase", "image", "rehearse", "reset", "scan", "status"}
PACKAGE = REPOSITORY / "scripts" / "west_commands" / "west_dfu_ble"


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ +(.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
            if "://" in target:
                continue
            file, _, anchor = target.partition("#")
            path = (page.parent / file).resolve() if file else page
            if not path.exists() or (anchor and anchor not in anchors(path)):
                broken.append(f"{page.relative_to(REPOSITORY)}: {target}")
    assert broken == []


def test_navigation_of_the_site_names_each_page_once() -> None:
    named = [page for pages in NAVIGATION.values() for page in pages]
    assert len(named) == len(set(named))
    assert [page for page in named if not (REPOSITORY / "docs" / f"{page}.md").exists()] == []


def test_each_suite_with_real_parts_can_be_found() -> None:
    page = text_of(REPOSITORY / "docs" / "real-peers.md")
    suites = [path.name for path in (REPOSITORY / "tests" / "peers").glob("test_*.py")]
    assert suites
    assert [name for name in suites if f"pytest -q -m peer tests/peers/{name} " not in page] == []


def test_codes_exist() -> None:
    rules = "".join(
        map(text_of, (p for s in ("*.py", "*.yml") for p in (PACKAGE / "rules").rglob(s)))
    )
    known = set(FAULTS) | set(re.findall(r"\b[A-Z]{2}\d{3}\b", rules))
    spoken = {
        (page.name, code)
        for page in PAGES
        for code in re.findall(r"\b(?:EN0|KC1|DT2|IM3|LK4|DV5)\d\d\b", text_of(page))
    }
    assert len(spoken) > 20
    assert {(page, code) for page, code in spoken if code not in known} == set()


def commands() -> set[str]:
    """What follows `dfu-ble` wherever a page or a help text tells the reader to call it."""
    texts = [text_of(page) for page in PAGES]
    texts += [text_of(path) for path in PACKAGE.rglob("*.py")]
    return {
        line.strip()
        for text in texts
        for line in re.findall(r"(?<![\w/.-])(?<!-r )(?:bin/|west )?dfu-ble ([^`\"#|\n]+)", text)
        if line.strip()
    }


def test_actions_and_options_that_the_texts_name_exist() -> None:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    (actions,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    parsers = [parser, *actions.choices.values()]
    options = {flag for p in parsers for a in p._actions for flag in a.option_strings}

    named = commands()
    words = {line.split()[0].strip(".,:;)") for line in named}
    assert {"check", "sign", "upload", "explain"} <= words
    assert words & (PLANNED - set(actions.choices)) == set()

    flags = {flag for line in named for flag in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line)}
    assert {"-d", "--link"} <= flags
    assert flags - options == set()


def test_the_two_commands_of_the_readme_are_the_same_everywhere() -> None:
    readme = text_of(REPOSITORY / "README.md")
    for marker in ("run-command", "test-command"):
        found = re.search(rf"<!-- {marker} -->\n```sh\n(.+)\n```", readme)
        assert found, marker
        assert found[1] in text_of(REPOSITORY / "CONTRIBUTING.md")
        if marker == "run-command":
            assert found[1] in text_of(REPOSITORY / "docs" / "quickstart.md")


@pytest.mark.parametrize("room", ["virtual", "rehearsal"])
def test_the_public_names_of_the_virtual_device_are_documented(room: str) -> None:
    page = text_of(REPOSITORY / "docs/virtual-device.md")
    names = import_module(f"west_dfu_ble.{room}").__all__
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_faults_are_documented() -> None:
    page = text_of(REPOSITORY / "docs/virtual-device.md")
    assert [kind.value for kind in FaultKind if f"`{kind.value}`" not in page] == []
