# SPDX-License-Identifier: Apache-2.0
"""The layouts and traps that no real build directory at hand shows."""

from __future__ import annotations

import shutil
from pathlib import Path

from made_builds import (
    FLASH,
    MCUBOOT_CACHE,
    NCS,
    RECORDED,
    SLOTS,
    SRAM,
    cache,
    child_image_build,
    devicetree,
    domains,
    kconfig,
    partition,
    region,
    write,
    zephyr_build,
)
from west_dfu_ble.builddir import Artifact, ArtifactKind, Build, Layout, Role, SignatureType, load
from west_dfu_ble.diagnostics import Location
from west_dfu_ble.mcuboot import BootloaderMode

XIP_SLOTS = SLOTS.replace(
    partition("mcuboot_secondary", 0x7C000, 0x70000),
    partition("mcuboot_secondary", 0x7C000, 0x70000, span=("mcuboot_secondary_app",))
    + partition("mcuboot_secondary_app", 0x7C200, 0x6FE00),
)


def roles(build: Build) -> dict[str, tuple[Role, int | None]]:
    return {image.name: (image.role, image.number) for image in build.images}


def artifacts(build: Build) -> set[tuple[str, int | None, int | None]]:
    return {(a.path.relative_to(build.path).as_posix(), a.image, a.slot) for a in build.artifacts}


def ncs_sysbuild_build(root: Path) -> Path:
    """NCS 2.7 and later with Partition Manager, direct-xip, ED25519, own key."""
    application = kconfig(
        "BOOTLOADER_MCUBOOT",
        "MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP_WITH_REVERT",
        'MCUBOOT_SIGNATURE_KEY_FILE="${APPLICATION_CONFIG_DIR}/keys/own.pem"',
        'MCUBOOT_IMGTOOL_SIGN_VERSION="2.0.0"',
        'KERNEL_BIN_NAME="firmware"',
    )
    config_dir = cache(f"APPLICATION_CONFIG_DIR={NCS}/app/config")
    return write(
        root,
        {
            "CMakeCache.txt": cache(
                f"CMAKE_CACHEFILE_DIR={RECORDED}",
                f"APPLICATION_SOURCE_DIR={NCS}/zephyr/share/sysbuild",
                f"APP_DIR={NCS}/app",
                "CMAKE_PROJECT_NAME=sysbuild",
            ),
            "domains.yaml": domains("app", "mcuboot", "mcuboot_secondary_app"),
            "zephyr/.config": kconfig(
                "SB_CONFIG_BOOTLOADER_MCUBOOT",
                "SB_CONFIG_PARTITION_MANAGER",
                "SB_CONFIG_MCUBOOT_MODE_DIRECT_XIP_WITH_REVERT",
                "SB_CONFIG_MCUBOOT_BUILD_DIRECT_XIP_VARIANT",
                "SB_CONFIG_MCUBOOT_APPLICATION_IMAGE_NUMBER=0",
            ),
            "partitions.yml": XIP_SLOTS,
            "regions.yml": FLASH + SRAM,
            "app/CMakeCache.txt": config_dir,
            "app/zephyr/.config": application,
            "app/zephyr/zephyr.dts": devicetree(),
            "app/zephyr/firmware.signed.bin": b"signed",
            "app/zephyr/firmware.bin": b"plain",
            "mcuboot/CMakeCache.txt": cache() + MCUBOOT_CACHE,
            "mcuboot/zephyr/.config": kconfig(
                "MCUBOOT",
                "BOOT_DIRECT_XIP",
                "BOOT_DIRECT_XIP_REVERT",
                "BOOT_SIGNATURE_TYPE_ED25519",
                f'BOOT_SIGNATURE_KEY_FILE="{NCS}/app/config/keys/own.pem"',
            ),
            "mcuboot_secondary_app/CMakeCache.txt": cache(),
            "mcuboot_secondary_app/zephyr/.config": application + kconfig("NCS_IS_VARIANT_IMAGE"),
            "mcuboot_secondary_app/zephyr/firmware.signed.bin": b"signed for slot 1",
            "dfu_application.zip": b"package",
        },
    )


def test_ncs_sysbuild_with_partition_manager(tmp_path: Path) -> None:
    build = load(ncs_sysbuild_build(tmp_path))

    assert build.layout is Layout.NCS_SYSBUILD
    assert build.mode_built is not None
    assert build.mode_built.mode is BootloaderMode.DIRECT_XIP_WITH_REVERT
    assert roles(build) == {
        "app": (Role.APPLICATION, 0),
        "mcuboot": (Role.BOOTLOADER, None),
        "mcuboot_secondary_app": (Role.VARIANT, 0),
    }
    assert build.application.application_source == Path(f"{NCS}/app")  # APP_DIR
    assert build.signature_type is SignatureType.ED25519
    assert [(s.name, s.address.value) for s in build.slots] == [
        ("mcuboot_primary", 0xC000),
        ("mcuboot_secondary", 0x7C000),
    ]
    assert artifacts(build) == {
        ("app/zephyr/firmware.signed.bin", 0, 0),
        ("mcuboot_secondary_app/zephyr/firmware.signed.bin", 0, 1),
        ("dfu_application.zip", None, None),
    }
    assert build.key is not None
    assert build.key.setting == "${APPLICATION_CONFIG_DIR}/keys/own.pem"
    assert build.key.path == Path(f"{NCS}/app/config/keys/own.pem")
    assert build.key.location == Location(tmp_path / "app/zephyr/.config", 3)
    assert build.bootloader_key is not None
    assert build.bootloader_key.path == build.key.path


def test_encrypted_image_is_the_one_to_upload(tmp_path: Path) -> None:
    write(ncs_sysbuild_build(tmp_path), {"app/zephyr/firmware.signed.encrypted.bin": b"e"})
    assert ("app/zephyr/firmware.signed.encrypted.bin", 0, 0) in artifacts(load(tmp_path))


def test_devicetree_only_sysbuild(tmp_path: Path) -> None:
    """NCS 3.x without Partition Manager, on an nRF54L: slots from the devicetree, header 0x800."""
    tree = devicetree(flash="flash0: rram@0")
    write(
        ncs_sysbuild_build(tmp_path),
        {
            "zephyr/.config": kconfig(
                "SB_CONFIG_BOOTLOADER_MCUBOOT",
                "-SB_CONFIG_PARTITION_MANAGER",
                "SB_CONFIG_MCUBOOT_MODE_SWAP_USING_OFFSET",
            ),
            "app/zephyr/.config": kconfig(
                "BOOTLOADER_MCUBOOT",
                "MCUBOOT_BOOTLOADER_MODE_SWAP_USING_OFFSET",
                "ROM_START_OFFSET=0x800",
            ),
            "app/zephyr/zephyr.dts": tree,
            "mcuboot/zephyr/.config": kconfig("MCUBOOT", "BOOT_SWAP_USING_OFFSET"),
        },
    )
    for name in ("partitions.yml", "regions.yml"):
        (tmp_path / name).unlink()

    build = load(tmp_path)
    assert build.layout is Layout.NCS_SYSBUILD
    assert build.mode is BootloaderMode.SWAP_USING_OFFSET
    assert build.variant is None  # the folder is left over from another mode
    assert [(s.name, s.address.value, s.size.value) for s in build.slots] == [
        ("slot0_partition", 0x10000, 0x60000),
        ("slot1_partition", 0x70000, 0x60000),
    ]
    assert build.header_size is not None
    assert build.header_size.value == 0x800
    line = tree.splitlines().index("\t\t\t\t\t\treg = < 0x70000 0x60000 >;") + 1
    assert build.slots[1].address.location == Location(tmp_path / "app/zephyr/zephyr.dts", line)


def test_variant_that_domains_yaml_does_not_list(tmp_path: Path) -> None:
    """Zephyr up to 3.3 lists no image that is only built."""
    write(ncs_sysbuild_build(tmp_path), {"domains.yaml": domains("app", "mcuboot")})
    assert load(tmp_path).variant is not None


def test_upstream_variant(tmp_path: Path) -> None:
    """Zephyr 4.4: `<application>_slot1_variant`."""
    write(
        ncs_sysbuild_build(tmp_path),
        {
            "domains.yaml": domains("app", "mcuboot", "app_slot1_variant"),
            "zephyr/.config": kconfig("SB_CONFIG_BOOTLOADER_MCUBOOT"),
            "app_slot1_variant/zephyr/.config": kconfig("BOOTLOADER_MCUBOOT"),
        },
    )
    shutil.rmtree(tmp_path / "mcuboot_secondary_app")
    (tmp_path / "partitions.yml").unlink()

    build = load(tmp_path)
    assert build.layout is Layout.ZEPHYR_SYSBUILD
    assert build.variant is not None
    assert build.variant.name == "app_slot1_variant"


def test_plain_zephyr_build(tmp_path: Path) -> None:
    write(zephyr_build(tmp_path), {"zephyr/zephyr.signed.bin": b"signed"})
    build = load(tmp_path)

    assert build.layout is Layout.ZEPHYR
    assert roles(build) == {"app": (Role.APPLICATION, 0)}
    assert build.board == "nrf52840dk/nrf52840"
    assert build.mode_built is None
    assert build.mode is BootloaderMode.OVERWRITE_ONLY
    assert build.signature_type is None
    assert [(s.image, s.index, s.address.value) for s in build.slots] == [
        (0, 0, 0x10000),
        (0, 1, 0x70000),
    ]
    assert build.artifacts == (
        Artifact(ArtifactKind.UPDATE_IMAGE, tmp_path / "zephyr/zephyr.signed.bin", 0, 0),
    )


def test_build_without_bootloader_has_no_slots(tmp_path: Path) -> None:
    write(zephyr_build(tmp_path), {"zephyr/.config": kconfig("-BOOTLOADER_MCUBOOT")})
    build = load(tmp_path)
    assert (build.slots, build.mode, build.key) == ((), None, None)
    assert [p.name for p in build.partitions] == ["slot0_partition", "slot1_partition"]


def test_names_of_ncs_2_0(tmp_path: Path) -> None:
    """Before the mode choice and the version's new name: direct-xip shows by the variant option."""
    write(
        child_image_build(tmp_path),
        {
            "zephyr/.config": kconfig(
                "BOOTLOADER_MCUBOOT",
                "BOOT_BUILD_DIRECT_XIP_VARIANT",
                'MCUBOOT_IMAGE_VERSION="0.9.1+7"',
            ),
            "partitions.yml": XIP_SLOTS,
            "mcuboot/zephyr/.config": kconfig(
                "MCUBOOT", "BOOT_DIRECT_XIP", "-BOOT_DIRECT_XIP_REVERT"
            ),
            "mcuboot_secondary_app/zephyr/.config": kconfig("BOOTLOADER_MCUBOOT"),
            "zephyr/app_update.bin": b"0",
            "zephyr/mcuboot_secondary_app_update.bin": b"1",
            "zephyr/zephyr.signed.bin": b"signed with the devicetree's slots",
            "zephyr/dfu_application.zip": b"package",
        },
    )
    build = load(tmp_path)
    assert build.layout is Layout.NCS_CHILD_IMAGE
    assert build.mode_believed is not None
    assert build.mode_believed.mode is BootloaderMode.DIRECT_XIP
    assert build.mode_believed.location.line == 2
    assert build.version == "0.9.1+7"
    assert build.variant is not None
    assert artifacts(build) == {
        ("zephyr/app_update.bin", 0, 0),
        ("zephyr/mcuboot_secondary_app_update.bin", 0, 1),
        ("zephyr/dfu_application.zip", None, None),
    }


def test_left_over_variant_is_no_part_of_the_build(tmp_path: Path) -> None:
    write(
        child_image_build(tmp_path),
        {
            "mcuboot_secondary_app/zephyr/.config": kconfig("BOOTLOADER_MCUBOOT"),
            "zephyr/mcuboot_secondary_app_update.bin": b"stale",
        },
    )
    build = load(tmp_path)
    assert build.variant is None
    assert build.artifacts == ()


def test_modes_that_disagree_are_both_told(tmp_path: Path) -> None:
    write(
        child_image_build(tmp_path),
        {"mcuboot/zephyr/.config": kconfig("MCUBOOT", "BOOT_UPGRADE_ONLY")},
    )
    build = load(tmp_path)
    assert build.mode_built is not None
    assert build.mode_believed is not None
    assert build.mode_built.mode is BootloaderMode.OVERWRITE_ONLY
    assert build.mode_believed.mode is BootloaderMode.SWAP_USING_MOVE
    assert build.mode is BootloaderMode.OVERWRITE_ONLY  # MCUboot's own decides


def test_partition_manager_wins_over_the_devicetree(tmp_path: Path) -> None:
    build = load(child_image_build(tmp_path))
    assert [slot.address.value for slot in build.slots] == [0xC000, 0x7C000]
    (flash,) = build.flash
    assert (flash.name, flash.erase_block, flash.write_block) == ("flash_primary", 0x1000, 4)


def test_pm_config_counts_where_partitions_yml_is_gone(tmp_path: Path) -> None:
    child_image_build(tmp_path)
    (tmp_path / "partitions.yml").unlink()
    lines = []
    for name, address, size in (
        ("mcuboot", 0, 0xC000),
        ("mcuboot_secondary", 0, 0x70000),  # in external flash: it would overlap otherwise
        ("mcuboot_pad", 0xC000, 0x200),
        ("mcuboot_primary", 0xC000, 0x70000),
        ("app", 0xC200, 0x6FE00),
    ):
        key = f"PM_{name.upper()}"
        lines += [f"{key}_ADDRESS={address:#x}", f"{key}_SIZE={size:#x}", f"{key}_NAME={name}"]
        lines += [f"{key}_ID={len(lines)}"]
    lines += ['PM_MCUBOOT_PRIMARY_SPAN="mcuboot_pad app"']
    lines += ["PM_SRAM_PRIMARY_ADDRESS=0x20000000", "PM_SRAM_PRIMARY_SIZE=0x40000"]
    lines += ["PM_SRAM_PRIMARY_NAME=sram_primary"]
    write(tmp_path, {"pm.config": "\n".join(lines)})  # as it is written: no last line feed

    build = load(tmp_path)
    primary, secondary = build.slots
    assert primary.address.location == Location(tmp_path / "pm.config", 13)
    assert primary.size.location == Location(tmp_path / "pm.config", 14)
    assert (primary.region, secondary.region) == ("flash_primary", "external_flash")
    assert build.header_size is not None
    assert build.header_size.location == Location(tmp_path / "pm.config", 10)
    assert {p.region for p in build.partitions} == {
        "flash_primary",
        "external_flash",
        "sram_primary",
    }


def nrf5340_partitions() -> str:
    return (
        partition("mcuboot", 0, 0x10000)
        + partition("mcuboot_pad", 0x10000, 0x200)
        + partition("mcuboot_primary", 0x10000, 0xE0000, span=("mcuboot_pad", "app"))
        + partition("app", 0x10200, 0xDFE00)
        + partition("mcuboot_primary_1", 0, 0x40000, "ram_flash")
        + partition("mcuboot_secondary", 0, 0xE0000, "external_flash")
        + partition("mcuboot_secondary_1", 0xE0000, 0x40000, "external_flash")
        + partition("external_flash", 0x120000, 0x6E0000, "external_flash")
        + partition("ram_flash", 0x40000, 0, "ram_flash")
        + partition("otp", 0xFF8100, 0x2FC, "otp")
        + partition("pcd_sram", 0x20000000, 0x2000, "sram_primary")
        + partition("sram_primary", 0x20000000, 0x70000, "sram_primary")
    )


NRF5340_REGIONS = (
    FLASH
    + region("external_flash", 0, 0x800000, "DT_CHOSEN(nordic_pm_ext_flash)")
    + region("ram_flash", 0, 0x40000, "flash_ctrl")
    + region("otp", 0xFF8100, 0x2FC, "")
    + SRAM
)


def test_nrf5340_with_network_core(tmp_path: Path) -> None:
    write(
        child_image_build(tmp_path),
        {
            "partitions.yml": nrf5340_partitions(),
            "regions.yml": NRF5340_REGIONS,
            "mcuboot/zephyr/.config": kconfig(
                "MCUBOOT", "BOOT_UPGRADE_ONLY", "UPDATEABLE_IMAGE_NUMBER=2"
            ),
            "hci_rpmsg/zephyr/.config": kconfig(
                'BOARD="nrf5340dk_nrf5340_cpunet"', "SOC_NRF5340_CPUNET_QKAA"
            ),
            "hci_rpmsg/b0n/zephyr/.config": kconfig("IS_SECURE_BOOTLOADER"),
            "hci_rpmsg/partitions_CPUNET.yml": partition("app", 0x1008800, 0x37000),
            "hci_rpmsg/regions_CPUNET.yml": region("flash_primary", 0x1000000, 0x40000, "flash"),
            "zephyr/app_update.bin": b"app",
            "zephyr/net_core_app_update.bin": b"net",
        },
    )
    build = load(tmp_path)
    assert roles(build) == {
        "app": (Role.APPLICATION, 0),
        "mcuboot": (Role.BOOTLOADER, None),
        "hci_rpmsg": (Role.NETWORK_CORE, 1),
    }
    assert [(s.image, s.index, s.address.value, s.region) for s in build.slots] == [
        (0, 0, 0x10000, "flash_primary"),
        (0, 1, 0x0, "external_flash"),
        (1, 0, 0x0, "ram_flash"),
        (1, 1, 0xE0000, "external_flash"),
    ]
    assert {r.name for r in build.flash} == {"flash_primary", "external_flash", "ram_flash"}
    assert artifacts(build) == {
        ("zephyr/app_update.bin", 0, 0),
        ("zephyr/net_core_app_update.bin", 1, 0),
    }
    assert [(p.name, p.address.value) for p in build.domain_partitions["CPUNET"]] == [
        ("app", 0x1008800)
    ]


def test_network_core_that_mcuboot_does_not_update(tmp_path: Path) -> None:
    """Sysbuild numbers images; -1 means that an image has none."""
    write(
        ncs_sysbuild_build(tmp_path),
        {
            "domains.yaml": domains("app", "mcuboot", "ipc_radio", "b0n"),
            "zephyr/.config": kconfig("SB_CONFIG_MCUBOOT_NETWORK_CORE_IMAGE_NUMBER=-1"),
            "ipc_radio/zephyr/.config": kconfig('BOARD_TARGET="nrf5340dk/nrf5340/cpunet"'),
            "b0n/zephyr/.config": kconfig(
                'BOARD_TARGET="nrf5340dk/nrf5340/cpunet"', "IS_SECURE_BOOTLOADER"
            ),
        },
    )
    images = roles(load(tmp_path))
    assert images["ipc_radio"] == (Role.NETWORK_CORE, None)
    assert images["b0n"] == (Role.OTHER, None)


def test_moved_build_directory_means_its_own_files(tmp_path: Path) -> None:
    """The recorded paths exist, and belong to another build: they must not be read."""
    original = ncs_sysbuild_build(tmp_path / "ws" / "build")
    recorded = str(original).replace("\\", "/")
    for file in original.rglob("*"):
        if file.is_file() and file.suffix in (".txt", ".yaml"):
            file.write_text(file.read_text().replace(RECORDED, recorded))
    moved = tmp_path / "elsewhere" / "copy"
    shutil.copytree(original, moved)
    write(original, {"app/zephyr/.config": kconfig("BOOTLOADER_MCUBOOT")})

    build = load(moved)
    assert build.application.directory == moved / "app"
    assert build.mode_believed is not None
    assert build.mode_believed.mode is BootloaderMode.DIRECT_XIP_WITH_REVERT
    assert all(image.directory.is_relative_to(moved) for image in build.images)


def test_relative_domains(tmp_path: Path) -> None:
    write(
        ncs_sysbuild_build(tmp_path),
        {"domains.yaml": domains("app", "mcuboot", build_dir=".").replace("./app", "app")},
    )
    assert load(tmp_path).application.directory == tmp_path / "app"


def test_files_with_carriage_returns(tmp_path: Path) -> None:
    """As Python and CMake write them on Windows."""
    child_image_build(tmp_path)
    plain = load(tmp_path)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    build = load(tmp_path)
    assert build.slots == plain.slots
    assert build.version == plain.version
    assert build.mode_built == plain.mode_built


def test_later_of_two_files_for_one_slot_counts(tmp_path: Path) -> None:
    """What `sign` writes beside the build's own image, unless the build made it anew."""
    import os

    build_dir = ncs_sysbuild_build(tmp_path)
    own = build_dir / "app/zephyr/firmware.signed.bin"
    ours = write(build_dir, {"zephyr/app_update.bin": b"ours"}) / "zephyr/app_update.bin"
    for times, expected in (((1000, 2000), ours), ((3000, 2000), own)):
        os.utime(own, (times[0], times[0]))
        os.utime(ours, (times[1], times[1]))
        found = [a.path for a in load(build_dir).artifacts if (a.image, a.slot) == (0, 0)]
        assert found == [expected]


def test_versions_of_the_sdk(tmp_path: Path) -> None:
    include = "zephyr/include/generated"
    write(
        child_image_build(tmp_path),
        {
            f"{include}/zephyr/version.h": '#define KERNEL_VERSION_STRING        "4.0.99"\n',
            f"{include}/ncs_version.h": '#define NCS_VERSION_STRING "3.0.1"\n',
        },
    )
    build = load(tmp_path)
    assert (build.zephyr_version, build.ncs_version) == ("4.0.99", "3.0.1")
