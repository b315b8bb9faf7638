# SPDX-License-Identifier: Apache-2.0
"""The cases of the rules whose evidence is a file that was built: images, ELF files."""

from __future__ import annotations

from collections.abc import Mapping

from mcuboot_images import make_image
from rule_case import Case
from sample_builds import SampleBuild, all_of, copy, edit, replace
from small_builds import DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, SmallBuild

DIRECT_XIP = SmallBuild(DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, variant={})

# The public half of MCUboot's demo key for ECDSA P-256, as MCUboot's build has it.
DEMO_PUBLIC_KEY = """\
const unsigned char ecdsa_pub_key[] = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04, 0x2a, 0xcb, 0x40, 0x3c, 0xe8,
    0xfe, 0xed, 0x5b, 0xa4, 0x49, 0x95, 0xa1, 0xa9, 0x1d, 0xae, 0xe8, 0xdb, 0xbe, 0x19, 0x37, 0xcd,
    0x14, 0xfb, 0x2f, 0x24, 0x57, 0x37, 0xe5, 0x95, 0x39, 0x88, 0xd9, 0x94, 0xb9, 0xd6, 0x5a, 0xeb,
    0xd7, 0xcd, 0xd5, 0x30, 0x8a, 0xd6, 0xfe, 0x48, 0xb2, 0x4a, 0x6a, 0x81, 0x0e, 0xe5, 0xf0, 0x7d,
    0x8b, 0x68, 0x34, 0xcc, 0x3a, 0x6a, 0xfc, 0x53, 0x8e, 0xfa, 0xc1,
};
const unsigned int ecdsa_pub_key_len = 91;
"""

FLASH = "flash_primary"
UPDATE, VARIANT_UPDATE = "zephyr/app_update.bin", "zephyr/mcuboot_secondary_app_update.bin"
VARIANT_ELF = "mcuboot_secondary_app/zephyr/zephyr.elf"
XIP_VERSION = {**DIRECT_XIP_APPLICATION, "MCUBOOT_IMGTOOL_SIGN_VERSION": '"1.2.0+7"'}
COMPARES_BUILD = {**DIRECT_XIP_MCUBOOT, "BOOT_VERSION_CMP_USE_BUILD_NUMBER": "y"}


def flip_last(data: bytes) -> bytes:
    """Spoil the signature, which is what stands at the end."""
    return data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]


# The firmware in the field.
BASELINE = make_image((1, 2, 0, 3))

Files = Mapping[str, str | bytes]
# MCUboot without a public key in its build: images of these tests are not signed.
NO_KEY: Files = {"mcuboot/zephyr/autogen-pubkey.c": ""}
# A key of 16 bytes, wrapped by ECIES-P256.
WRAPPED = ((0x32, bytes(113)),)
ENCRYPTED: Files = {
    UPDATE: make_image((1, 2, 0), linked_for=0xC000, flags=0x04, extra_tlvs=WRAPPED),
    **NO_KEY,
}
WRAPPED_KEY: Files = {
    UPDATE: make_image((1, 2, 0), linked_for=0xC000, extra_tlvs=WRAPPED),
    **NO_KEY,
}
PLAIN: Files = {UPDATE: make_image((1, 2, 0), linked_for=0xC000), **NO_KEY}

IMAGE_CASES: Mapping[str, tuple[Case, ...]] = {
    "IM351": (
        Case(
            SampleBuild(spoil=copy("zephyr/zephyr.elf", VARIANT_ELF), signed=False),
            SampleBuild(signed=False),
            message="the vector table is at 0x8200, the slot wants it at 0x82200",
            has_edit=False,
        ),
    ),
    "IM352": (
        Case(
            SampleBuild(
                spoil=copy("zephyr/zephyr.bin", "mcuboot_secondary_app/zephyr/zephyr.bin"),
                signed=False,
            ),
            SampleBuild(signed=False),
            message="`zephyr.bin` of the variant has the same bytes as the application's",
            has_edit=False,
        ),
    ),
    "IM353": (
        Case(
            SampleBuild(
                "build-swap",
                edit(
                    "zephyr/zephyr.elf",
                    lambda d: d.replace(b"\0upload_confirm_cb\0", b"\0xpload_confirm_cb\0"),
                ),
                signed=False,
            ),
            SampleBuild("build-swap", signed=False),
            severity="warning",
            has_edit=False,
        ),
    ),
    "IM354": (
        Case(
            SmallBuild(files={"zephyr/zephyr.bin": bytes(0x79000)}),
            SmallBuild(files={"zephyr/zephyr.bin": bytes(0x70000)}),
            message="the image to be signed has 496280 bytes, 8856 more than the 487424 that fit",
            has_edit=False,
        ),
    ),
    "IM355": (
        Case(
            SampleBuild("build-swap", edit(UPDATE, flip_last)),
            SampleBuild("build-swap"),
            has_edit=False,
            also=("EN052",),
        ),
        Case(
            SampleBuild("build-swap", edit(UPDATE, lambda d: d[:5000] + b"X" + d[5001:])),
            SampleBuild("build-swap"),
            has_edit=False,
            also=("EN052",),
        ),
        Case(
            SampleBuild("build-swap", edit(UPDATE, lambda d: b"\x7fELF" + d[4:])),
            SampleBuild("build-swap"),
            message="`app_update.bin`: the file is an ELF file, not an image",
            has_edit=False,
            also=("EN052",),
        ),
    ),
    "IM356": (
        Case(
            SampleBuild(spoil=copy(UPDATE, VARIANT_UPDATE)),
            SampleBuild(),
            message="`mcuboot_secondary_app_update.bin` declares 0x8000, and is for the secondary "
            "slot at 0x82000",
            has_edit=False,
            also=("EN052", "EN053"),
        ),
        Case(
            SmallBuild(
                DIRECT_XIP_APPLICATION,
                DIRECT_XIP_MCUBOOT,
                variant={},
                files={
                    UPDATE: make_image((1, 2, 0), linked_for=0xC000),
                    "mcuboot/zephyr/autogen-pubkey.c": "",
                },
            ),
            SampleBuild(),
            severity="warning",
            message="`app_update.bin` declares no slot",
            has_edit=False,
        ),
    ),
    "IM357": (
        Case(
            SampleBuild(
                "build-swap",
                all_of(
                    replace("partitions.yml", "size: 0x200\n", "size: 0x400\n"),
                    replace("partitions.yml", "address: 0xc200", "address: 0xc400"),
                    replace("partitions.yml", "size: 0x78e00", "size: 0x78c00"),
                    lambda build: (build / "pm.config").unlink(),
                ),
            ),
            SampleBuild("build-swap"),
            message="`app_update.bin` has a header of 0x200 bytes, the firmware is linked for "
            "0x400",
            has_edit=False,
            also=("IM351",),
        ),
    ),
    "IM358": (
        Case(
            SmallBuild(DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, variant={}),
            SmallBuild({"MCUBOOT_IMGTOOL_SIGN_VERSION": '"1.3.0+0"'}),
            has_edit=False,
            baseline=BASELINE,
        ),
        Case(
            SmallBuild(),
            SmallBuild({"MCUBOOT_IMGTOOL_SIGN_VERSION": '"1.3.0+0"'}),
            severity="warning",
            message="the version is 1.2.0+0, the baseline's 1.2.0+3",
            has_edit=False,
            baseline=BASELINE,
        ),
    ),
    "IM359": (
        Case(
            SmallBuild(XIP_VERSION, DIRECT_XIP_MCUBOOT, variant={}),
            SmallBuild(XIP_VERSION, COMPARES_BUILD, variant={}),
            severity="warning",
            message="the version is 1.2.0+7, and MCUboot ignores the 7",
        ),
        Case(
            SmallBuild(
                {**XIP_VERSION, "MCUMGR_GRP_IMG_VERSION_CMP_USE_BUILD_NUMBER": "n"},
                COMPARES_BUILD,
                variant={},
            ),
            SmallBuild(XIP_VERSION, COMPARES_BUILD, variant={}),
            severity="warning",
            message="the version is 1.2.0+7, and MCUmgr ignores the 7",
        ),
        Case(
            SmallBuild(
                {"MCUBOOT_IMGTOOL_SIGN_VERSION": '"1.2.0+7"'}, {"MCUBOOT_DOWNGRADE_PREVENTION": "y"}
            ),
            SmallBuild({}, {"MCUBOOT_DOWNGRADE_PREVENTION": "y"}),
            severity="warning",
            message="the version is 1.2.0+7, and MCUboot ignores the 7",
        ),
    ),
    "IM360": (
        Case(
            SmallBuild(
                {**DIRECT_XIP_APPLICATION, "MCUBOOT_IMGTOOL_SIGN_VERSION": '"0.0.0+0"'},
                DIRECT_XIP_MCUBOOT,
                variant={},
            ),
            DIRECT_XIP,
            severity="warning",
            message="the version is 0.0.0+0",
            has_edit=False,
        ),
    ),
    "IM364": (
        Case(
            SmallBuild(files=ENCRYPTED),
            SmallBuild(files=PLAIN),
            message="`app_update.bin`: the image is encrypted for ECIES-P256, MCUboot is built "
            "without encryption",
            has_edit=False,
        ),
        Case(
            SmallBuild(DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, variant={}, files=WRAPPED_KEY),
            SmallBuild(mcuboot={"BOOT_ENCRYPT_IMAGE": "y"}, files=ENCRYPTED),
            message="`app_update.bin`: the image is encrypted, the bootloader is built for "
            "direct-xip",
            has_edit=False,
            also=("IM356",),
        ),
        Case(
            SmallBuild(mcuboot={"BOOT_ENCRYPT_RSA": "y"}, files=ENCRYPTED),
            SmallBuild(mcuboot={"BOOT_ENCRYPT_EC256": "y"}, files=ENCRYPTED),
            message="`app_update.bin`: the image is encrypted for ECIES-P256, MCUboot is built for "
            "RSA-OAEP",
            has_edit=False,
        ),
    ),
    "IM366": (
        Case(
            SampleBuild("build-swap", edit("zephyr/app_to_sign.bin", lambda d: d[:-4000])),
            SampleBuild("build-swap"),
            message="`app_to_sign.bin`: the binary ends 4000 bytes before the program that it was "
            "made from does",
            has_edit=False,
        ),
        Case(
            SampleBuild("build-swap", edit("zephyr/app_to_sign.bin", lambda _: b""), signed=False),
            SampleBuild("build-swap", signed=False),
            message="`app_to_sign.bin` is empty",
            has_edit=False,
        ),
    ),
    "IM350": (
        Case(
            SmallBuild(files={"mcuboot/zephyr/autogen-pubkey.c": DEMO_PUBLIC_KEY}),
            severity="warning",
            message="MCUboot was built with the published key `root-ec-p256.pem`",
            has_edit=False,
        ),
    ),
}
