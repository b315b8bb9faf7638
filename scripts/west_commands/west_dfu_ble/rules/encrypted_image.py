# SPDX-License-Identifier: Apache-2.0
"""IM364: an update image that is encrypted, and a bootloader that can't run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..builddir import Image
from ..diagnostics import DfuBleError
from .built_files import finding_from, sound_images
from .model import (
    Category,
    Context,
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
        "Every update image whose header says that it is encrypted (flags 0x4 and 0x8), or that "
        "holds a wrapped key (entries 0x30 to 0x34): the bootloader's mode must be one that copies "
        "images, and MCUboot must be built for that kind and length of key "
        "(`CONFIG_BOOT_ENCRYPT_IMAGE`, `CONFIG_BOOT_ENCRYPT_EC256` and the like). `west dfu-ble "
        "sign` asks the same of what it makes (IM319)."
    ),
    why=(
        "MCUboot decrypts while it moves an image into the primary slot. Where it moves none, or "
        "does not know the key, the upload succeeds and the image is thrown away at the next reset."
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
        "mcuboot boot/zephyr/Kconfig",
        "sdk-nrf cmake/sysbuild/image_signing.cmake",
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Ask of each what signing asks."""
    build = context.build
    images = sound_images(build)
    if not images:
        return not_applicable("the build holds no update image that can be read")
    encrypted = [(artifact.path, one) for artifact, one in images if _is_encrypted(one)]
    if not encrypted:
        return passed(f"none of {len(images)} update images is encrypted")
    from ..image import require_decryptable

    for path, one in encrypted:
        try:
            require_decryptable(build, one, path)
        except DfuBleError as error:
            found = error.diagnostic
            return finding_from(found, f"`{path.name}`: {found.message}")
    if build.bootloader is None:
        return unknown("MCUboot's own configuration is not part of this build")
    return passed("MCUboot was built to decrypt them")


def _is_encrypted(image: McubootImage) -> bool:
    from ..image import WRAPPED_KEYS

    return image.is_encrypted or image.tlv(*WRAPPED_KEYS) is not None


RULE = Rule(DOC, check, roles=(), follows=("KC178", "IM355"))
