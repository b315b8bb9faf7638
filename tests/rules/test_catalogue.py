# SPDX-License-Identifier: Apache-2.0
"""The catalogue keeps to its schema, and the documentation to its form."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pykwalify.core import Core

from west_dfu_ble.faults import FAULTS
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.resources import schema_path
from west_dfu_ble.rules import Generation, catalogue, catalogue_text, explain, rule_page
from west_dfu_ble.rules.catalogue import CATALOGUE
from west_dfu_ble.rules.registry import all_rules

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs" / "rules"
HEADINGS = [
    "What it checks",
    "Why it matters",
    "How to fix",
    "Known problems",
    "Example",
    "References",
]


def entries() -> list[dict[str, Any]]:
    loaded = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    assert isinstance(loaded, list)
    return loaded


def test_catalogue_keeps_to_its_schema() -> None:
    schema = yaml.safe_load(schema_path("rule-catalogue.yml").read_text("utf-8"))
    Core(source_data=entries(), schema_data=schema).validate(raise_exception=True)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: str(entry["code"]))
def test_entry_refers_to_rules_and_modes_that_exist(entry: dict[str, Any]) -> None:
    codes = {rule.code for rule in all_rules()}
    assert set(entry.get("needed-by", [])) <= codes - {entry["code"]}
    assert set(entry.get("follows", [])) <= codes - {entry["code"]}
    assert set(entry.get("only-modes", [])) <= {mode.name for mode in BootloaderMode}
    # `symbol` is a name, or one for each generation: pykwalify has no way to say so.
    symbol = entry["symbol"]
    by_generation = symbol if isinstance(symbol, dict) else {"2.4+": symbol}
    assert all(re.fullmatch("CONFIG_[A-Z0-9_]+", name) for name in by_generation.values())
    assert set(by_generation) <= {generation.value for generation in Generation}
    assert ("elsewhere" in entry) == (isinstance(symbol, dict) and len(symbol) < len(Generation))


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_every_rule_is_documented_in_full(rule: Any) -> None:
    doc = rule.doc
    page = rule_page(doc)
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == HEADINGS
    sections = re.split(r"^## .*$", page, flags=re.MULTILINE)[1:]
    assert all(section.strip() for section in sections)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", doc.name)
    assert re.fullmatch(r"(EN0|DT2|IM3)[5-9]\d|KC1\d\d", doc.code)
    assert doc.summary[-1] != "."
    assert doc.references
    for follows in rule.follows:
        assert follows in {one.code for one in all_rules()}, follows
    assert explain(doc.code) == explain(doc.name) == explain(doc.code.lower()) == page


def test_codes_and_names_are_unique() -> None:
    codes = [doc.code for doc in catalogue()] + list(FAULTS)
    names = [doc.name for doc in catalogue()] + [fault.name for fault in FAULTS.values()]
    assert len(set(codes)) == len(codes)
    assert len(set(names)) == len(names)


def test_explain_knows_the_errors_that_end_a_command_too() -> None:
    assert "exit status 4" in str(explain("EN001"))
    assert explain("EN001") == explain("no-build-directory")
    assert explain("KC999") is None
    text = catalogue_text()
    assert all(code in text for code in (*FAULTS, *(doc.code for doc in catalogue())))


def test_docs_are_the_rules_own_text() -> None:
    """`python -m west_dfu_ble.rules.pages docs/rules` writes them."""
    from west_dfu_ble.rules.pages import pages

    expected = pages()
    found = {path.name: path.read_text(encoding="utf-8") for path in DOCS.glob("*.md")}
    assert found == expected
