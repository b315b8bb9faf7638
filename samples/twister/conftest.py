# SPDX-License-Identifier: Apache-2.0
"""One test for every build that twister made: the plan it carried out stands in twister.json."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MISSING = "twister made no build"
# Suites of the plan that were left out, or whose build failed: twister reports them itself.
NOT_BUILT = {"filtered", "skipped", "error", "blocked"}


@dataclass(frozen=True)
class Suite:
    """A test suite on a platform; `build` is `None` where there is nothing to check."""

    name: str
    platform: str
    build: Path | None
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.platform}:{self.name}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --twister-out."""
    parser.addoption(
        "--twister-out",
        type=Path,
        default=Path("twister-out"),
        metavar="DIR",
        help="what `west twister --outdir` wrote (default: twister-out)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every test that asks for a suite the suites of the plan."""
    if "suite" in metafunc.fixturenames:
        outdir = metafunc.config.getoption("--twister-out")
        found = list(suites(outdir))
        if not found:
            raise pytest.UsageError(f"{outdir / 'twister.json'} names no test suites")
        metafunc.parametrize("suite", found, ids=str)


def suites(outdir: Path) -> Iterator[Suite]:
    """Read twister's report and find the build directory of each suite."""
    report = outdir / "twister.json"
    try:
        plan = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"{report} can't be read: {error}") from error
    for entry in plan.get("testsuites", []):
        name, platform = entry["name"], entry["platform"]
        if entry.get("status") in NOT_BUILT:
            yield Suite(name, platform, None, f"twister: {entry.get('reason', entry['status'])}")
            continue
        build = build_directory(outdir, entry)
        yield Suite(name, platform, build, "" if build else MISSING)


def build_directory(outdir: Path, entry: dict[str, Any]) -> Path | None:
    """Find where twister built a suite.

    Its folders changed over the years: <platform>/<name>, <platform>/<path>/<name>, and with the
    toolchain's name in between. The platform comes first and the suite's name last in all of them.
    """
    platform = entry["platform"]
    for folder in (outdir / platform.replace("/", "_"), outdir / platform):
        found = [
            cache.parent
            for cache in sorted(folder.rglob("CMakeCache.txt"))
            if cache.parent.as_posix().endswith("/" + entry["name"])
        ]
        # The same name may stand in several folders of the tree.
        exact = [one for one in found if str(entry.get("path", "")) in one.as_posix()]
        if found:
            return (exact or found)[0]
    return None


@pytest.fixture
def build(suite: Suite) -> Path:
    """The suite's build directory; one without MCUboot is no subject of this."""
    if suite.build is None:
        pytest.skip(suite.reason)
    with_mcuboot = any(
        "CONFIG_BOOTLOADER_MCUBOOT=y" in config.read_text(encoding="utf-8").splitlines()
        for config in (suite.build / "zephyr/.config", *suite.build.glob("*/zephyr/.config"))
        if config.is_file()
    )
    if not with_mcuboot:
        pytest.skip("it boots without MCUboot")
    return suite.build
