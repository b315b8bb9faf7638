# SPDX-License-Identifier: Apache-2.0
"""IM354: image, entries behind it and the bootloader's own bytes fit the slot."""

from __future__ import annotations

from pathlib import Path

from ..builddir import ArtifactKind, Build, Image, Role, SignatureType
from ..diagnostics import Help, Location
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

# Bytes behind the firmware: area header, hash, key hash and signature, each with its own header.
_ENTRIES = {
    None: 4 + 36,
    SignatureType.NONE: 4 + 36,
    SignatureType.RSA_2048: 4 + 36 + 36 + 4 + 256,
    SignatureType.RSA_3072: 4 + 36 + 36 + 4 + 384,
    SignatureType.ECDSA_P256: 4 + 36 + 36 + 4 + 72,
    SignatureType.ECDSA_P384: 4 + 52 + 52 + 4 + 104,
    SignatureType.ED25519: 4 + 36 + 36 + 4 + 64,
}

DOC = RuleDoc(
    code="IM354",
    name="image-too-large-for-slot",
    category=Category.BROKEN,
    summary="the image does not fit its slot with what the bootloader keeps free there",
    checks=(
        "Size of the update image (or of the binary, with header and signature added) against the "
        "slot less its trailer; with swap using move also less the sector that the move needs, "
        "with swap using offset less the first sector of the secondary slot."
    ),
    why=(
        "An image that fits the slot but not the swap is refused by the device, or never "
        "swapped in, and can leave a device that starts nothing."
    ),
    fix="Make the application smaller, or the slots larger.",
    bad="image of 0x78000 bytes, slot of 0x79000, swap using move",
    good="image of 0x76000 bytes",
    applies="every build with an image or a binary",
    references=("mcuboot boot/bootutil/src/swap_move.c", "mcuboot docs/design.md"),
)


def check(context: Context, image: Image) -> Verdict:
    """Add up what goes into the slot."""
    build = context.build
    if image.number is None:
        return not_applicable("MCUboot does not update this image")
    slot = build.slot(1 if image.role is Role.VARIANT else 0, image.number)
    if slot is None:
        return unknown("the build does not tell where the slot is")
    measured = size_in_slot(build, image, slot.index)
    if measured is None:
        return unknown("there is neither an update image nor a binary of this image")
    from ..image import capacity

    size, path, is_image = measured
    room = capacity(build, slot)
    if size <= room.limit:
        left = room.limit - size
        return passed(f"{size} bytes of {room.limit}, {left} are left")
    what = "update image" if is_image else "image to be signed"
    return Finding(
        message=f"the {what} has {size} bytes, {size - room.limit} more than the "
        f"{max(room.limit, 0)} that fit",
        location=Location(path),
        notes=room.parts,
        helps=(Help("make the application smaller, or the slots larger"),),
        data={"size": size, "limit": room.limit, "slot_size": room.slot.size.value},
    )


def size_in_slot(build: Build, image: Image, slot: int) -> tuple[int, Path, bool] | None:
    """Return the size in bytes, the file it was read from, and whether that is the image itself.

    `slot` is the index of the slot that the image is linked for. `None` if there is no file.
    """
    for artifact in build.artifacts:
        if artifact.kind is not ArtifactKind.UPDATE_IMAGE:
            continue
        if (artifact.image or 0, artifact.slot) == (image.number or 0, slot):
            length = length_of(artifact.path)
            if length is not None:
                return length, artifact.path, True
    if image.role is Role.NETWORK_CORE:
        return None  # what goes into the slot is its own bootloader's image, signed by another tool
    name = image.kconfig.text("CONFIG_KERNEL_BIN_NAME", "zephyr")
    binary = image.directory / "zephyr" / f"{name}.bin"
    length = length_of(binary)
    if length is None:
        return None
    header = build.header_size.value if build.header_size else 0
    return length + header + _ENTRIES[build.signature_type], binary, False


def length_of(path: Path) -> int | None:
    """Return the size of a file in bytes; `None` if it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return None


_ROLES = (Role.APPLICATION, Role.VARIANT, Role.NETWORK_CORE)
RULE = Rule(DOC, check, roles=_ROLES, follows=("DT250", "IM363"))
