# SPDX-License-Identifier: Apache-2.0
"""`dfu-ble.yml`: what it says is taken, what it can't mean is refused with its line."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
import yaml

from west_dfu_ble.configuration import read_configuration
from west_dfu_ble.diagnostics import DfuBleError, ExitStatus, Severity

GOOD = """\
release: true
profile: mcumgr
fail-on: warning
link: virtual
device: Tiny
severity:
  KC155: info
waivers:
  - rule: IM360
    reason: bench only
    until: 2026-12-31
    image: app
  - rule: some-name
    reason: no end
"""


def test_everything_that_it_may_hold(tmp_path: Path) -> None:
    file = tmp_path / "dfu-ble.yml"
    file.write_text(GOOD)

    read = read_configuration(file)

    assert (read.release, read.profile, read.link, read.device) == (
        True,
        "mcumgr",
        "virtual",
        "Tiny",
    )
    assert read.fail_on is Severity.WARNING
    assert read.severity == {"KC155": Severity.INFO}
    first, second = read.waivers
    assert (first.rule, first.reason, first.image) == ("IM360", "bench only", "app")
    assert first.until == datetime.date(2026, 12, 31)
    assert first.location.line == 9
    assert (second.until, second.image) == (None, None)


def test_the_example_of_the_documentation_is_good(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    example = page.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    file = tmp_path / "dfu-ble.yml"
    file.write_text(example)
    assert set(yaml.safe_load(example)) == {
        "release", "profile", "fail-on", "link", "device", "severity", "waivers"
    }  # fmt: skip
    assert read_configuration(file).waivers


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    file = tmp_path / "dfu-ble.yml"
    file.write_text("# nothing yet\n")
    assert not read_configuration(file).release


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("release: true\nrelase: true\n", 2, "there is no key 'relase'"),
        (
            "release: true\nfail-on: never\n",
            2,
            "`fail-on` is 'never', and can be error, warning, info",
        ),
        ("waivers:\n- rule: x\n", 2, "cannot find required key 'reason'"),
        ("waivers:\n- rule: x\n  reason: y\n  until: 31.12.2026\n", 4, "not a valid date: 31.12"),
        ("release: true\nfail-on:\n", 2, "`fail-on` has no value"),
        ("waivers:\n", 1, "`waivers` has no value"),
        ("severity:\n  KC185:\n", 2, "`KC185` has no value"),
        ("- 1\n", 1, "value '[1]' is not a dict"),
        ("a: [1,\n", 2, "it is no YAML"),
        ("[" * 5000, None, "it is no YAML"),
        ("a: &a [x]\nb: [*a, *a]\n", None, "it uses YAML aliases"),
        ("\0\0", None, "it is no YAML"),
    ],
)
def test_what_it_can_not_mean(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    file = tmp_path / "dfu-ble.yml"
    file.write_text(text)

    with pytest.raises(DfuBleError) as caught:
        read_configuration(file)

    assert caught.value.status is ExitStatus.USAGE
    assert caught.value.diagnostic.location is not None
    assert caught.value.diagnostic.location.path == file
    assert caught.value.diagnostic.location.line == line
    assert message in caught.value.diagnostic.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DfuBleError, match="can't be read"):
        read_configuration(tmp_path / "none.yml")
