# SPDX-License-Identifier: Apache-2.0
"""EN050: the images were built from the configuration as it is."""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, Image, Role, configuration_files
from ..diagnostics import DfuBleError, Help, Location, Note
from .model import (
    Category,
    Context,
    Finding,
    Rule,
    RuleDoc,
    Verdict,
    not_applicable,
    passed,
    unknown,
)

# Archives and file systems keep times to two seconds at worst.
_SLACK = 2.0

DOC = RuleDoc(
    code="EN050",
    name="stale-build",
    category=Category.FRAGILE,
    summary="a source of the configuration is newer than the image built from it",
    checks=(
        "The time of each configuration file that the build names (`prj.conf`, overlays, board "
        "defaults) against that of the image's ELF file or binary. Only files at the "
        "very place that the build recorded count, so that a build directory that was copied from "
        "elsewhere is not judged by it."
    ),
    why="What is checked, signed and uploaded is not what the sources say now.",
    fix="Build again: `west build`.",
    bad="prj.conf     23:10\nzephyr.elf   22:55",
    good="prj.conf     22:50\nzephyr.elf   22:55",
    applies="builds that are where they were made",
    references=("zephyr cmake/modules/kconfig.cmake",),
    known_problems="Sources in C are not looked at; `west build` does that.",
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the times."""
    sources = _sources(context.build, image)
    if not sources:
        return not_applicable("the build directory is not where it was made")
    built = _built_at(image)
    if built is None:
        return unknown("there is neither an ELF file nor a binary of this image")
    when, product = built
    count = 0
    for source in sources:
        try:
            changed = source.stat().st_mtime
        except OSError:
            continue
        count += 1
        if changed > when + _SLACK:
            return Finding(
                message=f"`{source.name}` was changed {_span(changed - when)} after "
                f"`{product.name}` was built",
                location=Location(source),
                notes=(Note("built before that", Location(product)),),
                helps=(Help("build again", edit="west build\n"),),
                data={"seconds": round(changed - when)},
            )
    return passed(f"{count} configuration files are older than `{product.name}`")


def _sources(build: Build, image: Image) -> list[Path]:
    try:
        files = configuration_files(build, image)
    except DfuBleError:
        return []
    return [file.path for file in files if file.is_in_place and not file.generated]


def _built_at(image: Image) -> tuple[float, Path] | None:
    name = image.kconfig.text("CONFIG_KERNEL_BIN_NAME", "zephyr")
    for path in (image.elf, image.directory / "zephyr" / f"{name}.bin"):
        try:
            if path is not None:
                return path.stat().st_mtime, path
        except OSError:
            continue
    return None


def _span(seconds: float) -> str:
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"


RULE = Rule(DOC, check, roles=(Role.APPLICATION, Role.VARIANT, Role.BOOTLOADER))
