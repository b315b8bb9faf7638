# SPDX-License-Identifier: Apache-2.0
"""Find the update images and packages that a build already made."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from .images import kernel_name
from .model import Artifact, ArtifactKind, Image, Layout, Role

_PACKAGE = "dfu_application.zip"


def find_artifacts(build: Path, layout: Layout, images: tuple[Image, ...]) -> tuple[Artifact, ...]:
    """Return what is there to upload, one file for each slot that was linked for.

    Files for a programmer (`*_test_update.hex`, `merged.hex`) and unsigned ones are left out, and
    so is the `zephyr.signed.bin` of an NCS child-image build: it was signed with the devicetree's
    slots, not with the real ones.
    """
    found: dict[tuple[int | None, int | None], tuple[float, Artifact]] = {}
    for path, image, slot in _candidates(build, layout, images):
        modified = _modified(path)
        # Of what the build made and what `sign` made for the same slot, the later one counts.
        if modified is not None and modified > found.get((image, slot), (-1.0, None))[0]:
            kind = ArtifactKind.PACKAGE if image is None else ArtifactKind.UPDATE_IMAGE
            found[image, slot] = (modified, Artifact(kind, path, image, slot))
    return tuple(artifact for _, artifact in found.values())


def _modified(path: Path) -> float | None:
    """Return when a file was last written, in seconds; `None` if there is no such file."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return max(status.st_mtime, 0.0) if stat.S_ISREG(status.st_mode) else None


def _candidates(
    build: Path, layout: Layout, images: tuple[Image, ...]
) -> Iterator[tuple[Path, int | None, int | None]]:
    """Yield path, image number and slot index of all that there may be."""
    for image in images:
        if image.role not in (Role.APPLICATION, Role.VARIANT, Role.NETWORK_CORE):
            continue
        slot = 1 if image.role is Role.VARIANT else 0
        number = image.number
        if number is None:
            continue
        for path in _update_images(build, layout, image):
            yield path, number, slot
    yield build / _PACKAGE, None, None
    yield build / "zephyr" / _PACKAGE, None, None


def _update_images(build: Path, layout: Layout, image: Image) -> Iterator[Path]:
    top = build / "zephyr"
    # What NCS up to 2.6 makes, and what this tool's `sign` makes in every layout.
    yield {
        Role.APPLICATION: top / "app_update.bin",
        Role.VARIANT: top / "mcuboot_secondary_app_update.bin",
        Role.NETWORK_CORE: top / "net_core_app_update.bin",
    }[image.role]
    if layout is Layout.NCS_CHILD_IMAGE:
        return
    if image.role is Role.NETWORK_CORE:
        yield build / f"signed_by_mcuboot_and_b0_{image.name}.bin"
        return
    base = image.directory / "zephyr" / kernel_name(image.kconfig)
    encrypted = base.with_name(f"{base.name}.signed.encrypted.bin")
    # A device whose bootloader decrypts gets the encrypted one; the other is made on the way.
    yield (
        encrypted if _modified(encrypted) is not None else base.with_name(f"{base.name}.signed.bin")
    )
    if layout is Layout.NCS_SYSBUILD:
        # nRF54H20, where application and radio core are signed as one binary
        name = "zephyr_secondary_app" if image.role is Role.VARIANT else "zephyr"
        yield top / f"{name}.signed.bin"
