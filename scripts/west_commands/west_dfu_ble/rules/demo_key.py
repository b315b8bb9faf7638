# SPDX-License-Identifier: Apache-2.0
"""IM350: images signed with a key that everybody has."""

from __future__ import annotations

import re

from ..builddir import Image, Role, SignatureType
from ..diagnostics import Help, Location, Note
from .built_files import PUBLIC_KEY_SOURCE, public_key_hash
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

DOC = RuleDoc(
    code="IM350",
    name="demo-key",
    category=Category.UNSAFE,
    summary="images are signed with a key that is published",
    checks=(
        "The public key that MCUboot was built with (`zephyr/autogen-pubkey.c` of its build "
        "folder), by its SHA-256, against those of the demo keys of MCUboot and of the SDK's "
        "applications. The name of the key file plays no part."
    ),
    why="Anybody can sign firmware that this device accepts.",
    fix=(
        "Make a key of your own with `imgtool keygen`, keep it out of the repository, and name it "
        "by `SB_CONFIG_BOOT_SIGNATURE_KEY_FILE` (sysbuild) or `CONFIG_BOOT_SIGNATURE_KEY_FILE` "
        "(MCUboot's configuration). Devices in the field that have the demo key in their "
        "bootloader can't be moved to another key by an update of the application."
    ),
    bad='CONFIG_BOOT_SIGNATURE_KEY_FILE="root-ec-p256.pem"',
    good='CONFIG_BOOT_SIGNATURE_KEY_FILE="/home/me/keys/product.pem"',
    applies="builds that sign, with MCUboot as part of the build",
    references=("mcuboot docs/signed_images.md", "mcuboot boot/bootutil/include/bootutil/image.h"),
    known_problems=(
        "Without the folder of MCUboot's build the key is not known. Keys of other projects that "
        "were published are not in the list."
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the public key in MCUboot's build with the published ones."""
    build = context.build
    if build.signature_type is SignatureType.NONE:
        return not_applicable("images are not signed at all")
    from ..image import demo_key

    digest = public_key_hash(build)
    setting = build.key.setting if build.key else ""
    if digest is None:
        return unknown(_why_unknown(setting))
    source = image.directory / "zephyr" / PUBLIC_KEY_SOURCE
    published = demo_key(digest)
    if published is None:
        return passed(
            f"the key with the hash {digest.hex()[:16]} is none of those known to be public"
        )
    return Finding(
        message=f"MCUboot was built with the published key `{published}`",
        location=build.key.location if build.key else None,
        notes=(Note(f"the public key's SHA-256 is {digest.hex()}", Location(source)),),
        helps=(
            Help("make a key of your own", edit="imgtool keygen -k product.pem -t ecdsa-p256\n"),
            Help("name it by its absolute path", edit=f'{_setting(context)}="/path/product.pem"\n'),
        ),
        data={"key_hash": digest.hex(), "key": published, "setting": setting},
    )


def _setting(context: Context) -> str:
    name = "SB_CONFIG_BOOT_SIGNATURE_KEY_FILE"
    if context.build.sysbuild is not None and name in context.build.sysbuild:
        return name
    return "CONFIG_BOOT_SIGNATURE_KEY_FILE"


def _why_unknown(setting: str) -> str:
    reason = f"there is no `{PUBLIC_KEY_SOURCE}` in MCUboot's build folder to compare the key by"
    name = re.split(r"[/\\]", setting)[-1]
    if name.startswith("root-"):
        reason += f"; the key is called `{name}`, as MCUboot's demo keys are"
    return reason


RULE = Rule(DOC, check, roles=(Role.BOOTLOADER,))
