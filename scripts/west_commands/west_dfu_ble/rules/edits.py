# SPDX-License-Identifier: Apache-2.0
"""The edits that rules propose, and the file each belongs in."""

from __future__ import annotations

from ..builddir import Build, Layout
from ..diagnostics import Help


def in_application(edit: str, *, unless: str = "", safe: bool = True) -> Help:
    """Lines for the application's `prj.conf`; `unless` is what to consider first."""
    text = "add to `prj.conf`" + (f", {unless}" if unless else "")
    return Help(text, edit=edit, file="prj.conf", safe=safe)


def in_bootloader(build: Build, edit: str, *, safe: bool = True) -> Help:
    """Lines for MCUboot's configuration, where this layout of a build keeps them."""
    child = build.layout is Layout.NCS_CHILD_IMAGE
    file = "child_image/mcuboot.conf" if child else "sysbuild/mcuboot.conf"
    return Help(f"add to `{file}`, MCUboot's configuration", edit=edit, file=file, safe=safe)


def in_sysbuild(edit: str, *, safe: bool = True) -> Help:
    """Lines for `sysbuild.conf`."""
    return Help("add to `sysbuild.conf`", edit=edit, file="sysbuild.conf", safe=safe)
