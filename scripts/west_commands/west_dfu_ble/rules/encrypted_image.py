# SPDX-License-Identifier: Apache-2.0
"""IM364: an update image that is encrypted, and a bootloader that can't run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..builddir import Artifact, Build, Image
from ..diagnostics import Help, Location, Note
from .built_files import sound_images
from .encrypted_direct_xip import ENCRYPTION
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

if TYPE_CHECKING:
    from ..image import McubootImage

DOC = RuleDoc(
    code="IM364",
    name="encrypted-image-not-run",
    category=Category.BROKEN,
    summary="an update image is encrypted, and the bootloader can't run it",
    checks=(
        "The flags in the header of every update image (0x4 and 0x8, an encrypted payload) and "
        "its entries (0x30 to 0x34, the wrapped key): neither may be there in direct-xip, nor "
        f"where MCUboot was built without encryption (`{ENCRYPTION[0]}`)."
    ),
    why=(
        "MCUboot decrypts while it moves an image into the primary slot. Where it moves none, or "
        "knows no decryption, the upload succeeds and the image is thrown away at the next reset."
    ),
    fix=(
        "Sign without `--encrypt` (`west dfu-ble sign` does where MCUboot decrypts nothing), or "
        "take a mode that moves images and enable the encryption in MCUboot."
    ),
    bad="imgtool sign --encrypt device-public.pem … app_update.bin   # direct-xip",
    good="imgtool sign … app_update.bin",
    applies="builds that hold an update image",
    references=(
        "mcuboot boot/bootutil/include/bootutil/image.h",
        "sdk-nrf cmake/sysbuild/image_signing.cmake",
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Look at the flags and entries of each."""
    build = context.build
    images = sound_images(build)
    if not images:
        return not_applicable("the build holds no update image that can be read")
    encrypted = next(((a, i) for a, i in images if _is_encrypted(i)), None)
    if encrypted is None:
        return passed(f"none of {len(images)} update images is encrypted")
    if build.mode is not None and build.mode.is_direct_xip:
        return _finding(*encrypted, f"in {build.mode.title} it runs where it is", _mode(build))
    bootloader = build.bootloader
    if bootloader is None:
        return unknown("MCUboot's own configuration is not part of this build")
    if any(bootloader.kconfig.is_on(symbol) for symbol in ENCRYPTION):
        return passed("MCUboot was built to decrypt images")
    note = Note(f"`{ENCRYPTION[0]}` is off", bootloader.kconfig.where(ENCRYPTION[0]))
    return _finding(*encrypted, "MCUboot was built without decryption", note)


def _is_encrypted(image: McubootImage) -> bool:
    from ..image import TlvType

    keys = (one for one in TlvType if one.name.startswith("ENC_"))
    return image.is_encrypted or image.tlv(*keys) is not None


def _mode(build: Build) -> Note:
    assert build.mode is not None
    where = build.mode_built or build.mode_believed
    return Note(f"the mode is {build.mode.title}", where.location if where else None)


def _finding(artifact: Artifact, image: McubootImage, reason: str, note: Note) -> Finding:
    return Finding(
        message=f"`{artifact.path.name}` is encrypted, and {reason}",
        location=Location(artifact.path),
        notes=(note,),
        helps=(Help("sign again without encryption", edit="west dfu-ble sign --force\n"),),
        data={"flags": image.flags, "image": artifact.image, "slot": artifact.slot},
    )


RULE = Rule(DOC, check, roles=(), follows=("KC178", "IM355"))
