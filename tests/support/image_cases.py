# SPDX-License-Identifier: Apache-2.0
"""The cases of the rules whose evidence is a file that was built: packages, images, ELF files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mcuboot_images import make_image
from rule_case import Case
from sample_builds import BuildWithSources, SampleBuild, all_of, copy, edit, replace
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
TWO_IMAGES = {"UPDATEABLE_IMAGE_NUMBER": "2"}
TWO_UPDATES = {"MCUMGR_GRP_IMG_UPDATABLE_IMAGE_NUMBER": "2"}
SECOND_SLOTS = {
    "mcuboot_secondary": (0x85000, 0x79000, FLASH),
    "mcuboot_primary_1": (0x0, 0x40000, "ram_flash"),
    "mcuboot_secondary_1": (0x100000, 0x40000, "external_flash"),
}


def flip_last(data: bytes) -> bytes:
    """Spoil the signature, which is what stands at the end."""
    return data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]


NCS_SYSBUILD = {"SB_CONFIG_PARTITION_MANAGER": "y", "SB_CONFIG_BOOTLOADER_MCUBOOT": "y"}
# The firmware in the field.
BASELINE = make_image((1, 2, 0, 3))

Files = Mapping[str, str | bytes]
# MCUboot without a public key in its build: images of these tests are not signed.
NO_KEY: Files = {"mcuboot/zephyr/autogen-pubkey.c": ""}
ENCRYPTED: Files = {UPDATE: make_image((1, 2, 0), linked_for=0xC000, flags=0x04), **NO_KEY}
WRAPPED_KEY: Files = {
    UPDATE: make_image((1, 2, 0), linked_for=0xC000, extra_tlvs=((0x32, bytes(113)),)),
    **NO_KEY,
}
PLAIN: Files = {UPDATE: make_image((1, 2, 0), linked_for=0xC000), **NO_KEY}
OVERWRITES = {"BOOT_SWAP_USING_MOVE": "n", "BOOT_UPGRADE_ONLY": "y", "SPI_NOR": "y"}
NETWORK_UPDATE = "signed_by_mcuboot_and_b0_ipc_radio.bin"


def two_cores(network_update: bytes, region: str = "ram_flash") -> SmallBuild:
    """A build that updates both cores, with this image for the network core."""
    return SmallBuild(
        {
            **TWO_UPDATES,
            "SPI_NOR": "y",
            "MCUBOOT_BOOTLOADER_MODE_SWAP_WITHOUT_SCRATCH": "n",
            "MCUBOOT_BOOTLOADER_MODE_OVERWRITE_ONLY": "y",
        },
        {**TWO_IMAGES, **OVERWRITES},
        {**SECOND_SLOTS, "mcuboot_primary_1": (0x0, 0x40000, region)},
        sysbuild=NCS_SYSBUILD,
        network_core={},
        files={NETWORK_UPDATE: network_update},
    )


NETWORK_FIRMWARE = make_image((1, 2, 0), linked_for=0x0100_8800)


def package(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Return a spoiler that changes the manifest in the package and the one beside it."""

    def spoil(build: Path) -> None:
        path = build / "zephyr/dfu_application.zip"
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(members["manifest.json"])
        change(manifest)
        listed = {one["file"] for one in manifest["files"]}
        members = {name: data for name, data in members.items() if name in listed}
        members["manifest.json"] = json.dumps(manifest).encode()
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        path.with_name(f"{path.name}_manifest.json").write_bytes(members["manifest.json"])

    return spoil


def out_of_step(change: Callable[[dict[str, Any]], object], message: str) -> Case:
    """A package whose manifest says something else than is true."""
    bad = SampleBuild(spoil=package(change))
    return Case(bad, SampleBuild(), severity="warning", message=message, has_edit=False)


IMAGE_CASES: Mapping[str, tuple[Case, ...]] = {
    "EN050": (
        Case(
            BuildWithSources(seconds=3600),
            BuildWithSources(seconds=-60),
            severity="warning",
            message="`prj.conf` was changed 60 minutes after `zephyr.bin` was built",
            has_edit=False,
        ),
    ),
    "EN051": (
        Case(
            SmallBuild(mcuboot={"BOARD": '"nrf52833dk_nrf52833"'}),
            message="`mcuboot` is for nrf52833dk_nrf52833, the application for nrf52840dk_nrf52840",
            has_edit=False,
        ),
    ),
    "EN052": (
        Case(
            SampleBuild("build-swap", copy("zephyr/zephyr.bin", "zephyr/dfu_application.zip")),
            SampleBuild("build-swap"),
            severity="warning",
            has_edit=False,
        ),
        Case(
            SampleBuild(
                spoil=all_of(
                    lambda build: (build / UPDATE).write_bytes(
                        (build / VARIANT_UPDATE).read_bytes()
                    )
                )
            ),
            SampleBuild(),
            severity="warning",
            message="`app_update.bin` in the package is not `app_update.bin` beside it",
            has_edit=False,
            also=("EN053", "IM356"),
        ),
        out_of_step(
            lambda m: m["files"][0].update({"version_MCUBOOT+XIP": "1.3.0"}),
            "the manifest says that `app_update.bin` is 1.3.0, its header 1.2.0+0",
        ),
        out_of_step(
            lambda m: m["files"][1].update(load_address=0x8200),
            "the manifest gives `mcuboot_secondary_app_update.bin` the load address 0x8200",
        ),
        out_of_step(
            lambda m: m["files"][0].update(board="thingy53_nrf5340_cpuapp"),
            "`app_update.bin` is for the board thingy53_nrf5340_cpuapp, the build for "
            "nrf52840dk_nrf52840",
        ),
        out_of_step(
            lambda m: m["files"].pop(),
            "`mcuboot_secondary_app_update.bin` is not in the package",
        ),
        Case(
            SampleBuild(
                spoil=edit(
                    "zephyr/dfu_application.zip_manifest.json", lambda d: d.replace(b"1.2", b"1.1")
                )
            ),
            SampleBuild(),
            severity="warning",
            message="the manifest in the package is not `dfu_application.zip_manifest.json` beside "
            "it",
            has_edit=False,
        ),
    ),
    "EN053": (
        Case(
            SampleBuild("build-swap", edit("zephyr/app_to_sign.bin", lambda d: d + bytes(16))),
            SampleBuild("build-swap"),
            severity="warning",
            message="`app_update.bin` was made from another binary than `app_to_sign.bin`",
            has_edit=False,
        ),
    ),
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
    "IM361": (
        Case(
            SmallBuild(sysbuild=NCS_SYSBUILD, network_core={}),
            SmallBuild(
                TWO_UPDATES,
                {**TWO_IMAGES, "BOOT_SWAP_USING_MOVE": "n", "BOOT_UPGRADE_ONLY": "y"},
                sysbuild=NCS_SYSBUILD,
                network_core={},
            ),
            severity="info",
            message="MCUboot updates one image, and `ipc_radio` is a second",
            has_edit=False,
        ),
        Case(
            SmallBuild(
                {"SPI_NOR": "y"},
                {"PCD_APP": "y", "SPI_NOR": "y"},
                {"mcuboot_secondary": (0x0, 0x79000, "external_flash")},
                sysbuild=NCS_SYSBUILD,
                network_core={},
            ),
            SmallBuild(mcuboot={"PCD_APP": "y"}, sysbuild=NCS_SYSBUILD, network_core={}),
            severity="warning",
            message="the network core's image would be taken from external flash, which MCUboot "
            "can do only together with the application's",
            has_edit=False,
        ),
    ),
    "IM362": (
        Case(
            SmallBuild(
                {**TWO_UPDATES, "SPI_NOR": "y"},
                {**TWO_IMAGES, "SPI_NOR": "y"},
                SECOND_SLOTS,
                sysbuild=NCS_SYSBUILD,
                network_core={},
            ),
            SmallBuild(
                {**TWO_UPDATES, "SPI_NOR": "y"},
                {
                    **TWO_IMAGES,
                    "SPI_NOR": "y",
                    "BOOT_SWAP_USING_MOVE": "n",
                    "BOOT_UPGRADE_ONLY": "y",
                },
                SECOND_SLOTS,
                sysbuild=NCS_SYSBUILD,
                network_core={},
            ),
            severity="warning",
            message="two images are updated with swap using move",
            has_edit=False,
        ),
    ),
    "IM363": (
        Case(
            SmallBuild(TWO_UPDATES, TWO_IMAGES),
            SmallBuild(
                {**TWO_UPDATES, "SPI_NOR": "y"}, {**TWO_IMAGES, "SPI_NOR": "y"}, SECOND_SLOTS
            ),
            message="MCUboot updates 2 images, and there is no primary slot of image 1 and no "
            "secondary slot of image 1",
            severity="warning",
            has_edit=False,
        ),
        # There the second image is MCUboot itself.
        Case(
            SmallBuild(TWO_UPDATES, TWO_IMAGES),
            SmallBuild(
                TWO_UPDATES, TWO_IMAGES, {"settings_storage": None, "b0": (0xFE000, 0x2000, FLASH)}
            ),
            severity="warning",
            has_edit=False,
        ),
    ),
    "IM364": (
        Case(
            SmallBuild(files=ENCRYPTED),
            SmallBuild(files=PLAIN),
            message="`app_update.bin` is encrypted, and MCUboot was built without decryption",
            has_edit=False,
        ),
        Case(
            SmallBuild(DIRECT_XIP_APPLICATION, DIRECT_XIP_MCUBOOT, variant={}, files=WRAPPED_KEY),
            SmallBuild(mcuboot={"BOOT_ENCRYPT_IMAGE": "y"}, files=ENCRYPTED),
            message="`app_update.bin` is encrypted, and in direct-xip it runs where it is",
            has_edit=False,
            also=("IM356",),
        ),
    ),
    "IM365": (
        Case(
            two_cores(make_image((1, 2, 0), linked_for=0xC000)),
            two_cores(NETWORK_FIRMWARE),
            message=f"`{NETWORK_UPDATE}` is image 1, and holds firmware for the application core",
            has_edit=False,
        ),
        Case(
            two_cores(NETWORK_FIRMWARE, "external_flash"),
            two_cores(NETWORK_FIRMWARE),
            message="image 1 is the network core's, and its primary slot is in `external_flash`",
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
