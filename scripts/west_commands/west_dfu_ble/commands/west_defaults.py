# SPDX-License-Identifier: Apache-2.0
"""The user's own defaults, `west config dfu-ble.*`: what differs from desk to desk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import builddir
from ..diagnostics import DfuBleError, Severity
from ..faults import fault

SECTION = "dfu-ble"
# What an option may be; `None`: any text. The keys are those of the configuration file.
_CHOICES: Mapping[str, tuple[str, ...] | None] = {
    "device": None,
    "link": None,
    "profile": ("caf", "mcumgr"),
    "fail-on": tuple(severity.value for severity in Severity),
    "release": ("true", "false", "yes", "no", "on", "off", "1", "0"),
}


@dataclass(frozen=True)
class WestDefaults:
    """What `west config` says; `None` where it is silent."""

    device: str | None = None
    link: str | None = None
    profile: str | None = None
    fail_on: Severity | None = None
    release: bool | None = None


def west_defaults() -> WestDefaults:
    """Read the section `dfu-ble` of west's configuration for the workspace at hand.

    The workspace is that of the current folder, else that of ``ZEPHYR_BASE``, as west has it.
    Outside of one nothing is read. Raises `DfuBleError` EN008 for an option that does not exist
    or can't mean what it says.
    """
    topdir = builddir.west_topdir(Path.cwd())
    if topdir is None and os.environ.get("ZEPHYR_BASE"):
        topdir = builddir.west_topdir(Path(os.environ["ZEPHYR_BASE"]))
    if topdir is None:
        return WestDefaults()
    set_there = builddir.west_options(topdir, SECTION).items()
    options = {name: _checked(name, text) for name, text in set_there if text}
    return WestDefaults(
        device=options.get("device"),
        link=options.get("link"),
        profile=options.get("profile"),
        fail_on=Severity(options["fail-on"]) if "fail-on" in options else None,
        release=options["release"] in ("true", "yes", "on", "1") if "release" in options else None,
    )


def _checked(name: str, text: str) -> str:
    if name not in _CHOICES:
        raise _complaint(
            f"west's setting `{SECTION}.{name}` does not exist; there are {', '.join(_CHOICES)}",
            f"remove it with `west config -d {SECTION}.{name}`",
        )
    choices = _CHOICES[name]
    if choices is None:
        return text
    if text.lower() not in choices:
        raise _complaint(
            f"west's setting `{SECTION}.{name}` is `{text}`, and can be {', '.join(choices)}",
            f"correct it: `west config {SECTION}.{name} {choices[0]}`",
        )
    return text.lower()


def _complaint(message: str, remedy: str) -> DfuBleError:
    return fault(
        "EN008",
        message,
        why="Settings that are not understood are not half applied.",
        helps=[remedy, "`west config -l` lists what is set; docs/west.md says what can be"],
    )
