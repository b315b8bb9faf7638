# SPDX-License-Identifier: Apache-2.0
"""The layouts and traps that no real build directory at hand shows."""

from __future__ import annotations

import shutil
from pathlib import Path

from made_builds import (
    NCS,
    RECORDED,
    SLOTS,
    XIP_SLOTS,
    artifacts,
    cache,
    child_image_build,
    devicetree,
    domains,
    kconfig,
    ncs_sysbuild_build,
    partition,
    roles,
    write,
    zephyr_build,
)
from west_dfu_ble.builddir import Artifact, ArtifactKind, Layout, Role, SignatureType, load
from west_dfu_ble.diagnostics import Location
from west_dfu_ble.mcuboot import BootloaderMode


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


def test_other_projects_in_the_build_directory_are_no_images(tmp_path: Path) -> None:
    """TF-M's own CMake project is told where Zephyr is, and has no `.config`."""
    write(child_image_build(tmp_path), {"tfm/CMakeCache.txt": cache(), "modules/x/y.txt": ""})
    assert set(roles(load(tmp_path))) == {"app", "mcuboot"}


def test_partition_beyond_its_region_is_left_to_the_rules(tmp_path: Path) -> None:
    """Builds with a stale static partition file link and run: what can be read is read."""
    far = partition("external", 0xFF000, 0x200000)
    write(child_image_build(tmp_path), {"partitions.yml": SLOTS + far})
    assert load(tmp_path).partitions[-1].size.value == 0x200000


def test_paths_of_a_windows_machine(tmp_path: Path) -> None:
    """As recorded by CMake there; told with slashes, which Windows understands too."""
    child_image_build(tmp_path)
    write(
        tmp_path,
        {
            "CMakeCache.txt": cache("APPLICATION_SOURCE_DIR=C:/ws/app", "mcuboot_CONF_FILE=x.conf"),
            "mcuboot/CMakeCache.txt": cache("APPLICATION_SOURCE_DIR=C:/ncs/mcuboot/boot/zephyr"),
        },
    )
    build = load(tmp_path)
    assert build.application.name == "app"
    assert build.key is not None
    assert [path.as_posix() for path in build.key.tried] == [
        "C:/ws/app/root-rsa-2048.pem",
        "C:/ncs/mcuboot/root-rsa-2048.pem",
    ]
    assert build.key.path == build.key.tried[1]
