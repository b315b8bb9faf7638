# SPDX-License-Identifier: Apache-2.0
"""The key file, in every way that a build may write its path."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from made_builds import (
    MCUBOOT_CACHE,
    NCS,
    RECORDED,
    cache,
    child_image_build,
    kconfig,
    write,
    zephyr_build,
)
from west_dfu_ble.builddir import SignatureType, SigningKey, load


def key_of(build: Path) -> SigningKey:
    key = load(build).key
    assert key is not None
    return key


def with_mcuboot_key(build: Path, setting: str, *entries: str) -> Path:
    child_image_build(build)
    source = f"APPLICATION_SOURCE_DIR={NCS}/nrf/app"
    top = cache(f"CMAKE_CACHEFILE_DIR={RECORDED}", source, *entries)
    config = kconfig("MCUBOOT", "BOOT_SWAP_USING_MOVE", f'BOOT_SIGNATURE_KEY_FILE="{setting}"')
    return write(build, {"CMakeCache.txt": top, "mcuboot/zephyr/.config": config})


def test_absolute_path_that_is_here(tmp_path: Path) -> None:
    file = write(tmp_path, {"keys/own.pem": "key"}) / "keys" / "own.pem"
    key = key_of(with_mcuboot_key(tmp_path / "build", file.as_posix()))
    assert (key.path, key.exists) == (file, True)


def test_absolute_path_of_another_machine(tmp_path: Path) -> None:
    key = key_of(with_mcuboot_key(tmp_path, "/somewhere/own.pem"))
    assert (key.path, key.exists) == (Path("/somewhere/own.pem"), False)


def test_windows_path_is_no_relative_one(tmp_path: Path) -> None:
    key = key_of(with_mcuboot_key(tmp_path, "C:/keys/own.pem"))
    assert (key.tried, key.exists) == ((Path("C:/keys/own.pem"),), False)


def test_relative_to_the_folder_of_mcuboots_conf_file(tmp_path: Path) -> None:
    conf = f"{NCS}/nrf/app/child_image/mcuboot"
    build = with_mcuboot_key(tmp_path, "own.pem", f"mcuboot_CONF_FILE={conf}/prj.conf")
    key = key_of(build)
    assert key.path == Path(f"{conf}/own.pem")
    assert Path(f"{NCS}/bootloader/mcuboot/own.pem") in key.tried


def test_relative_to_a_relative_conf_file(tmp_path: Path) -> None:
    build = with_mcuboot_key(tmp_path, "own.pem", "mcuboot_CONF_FILE=child_image/a.conf;b.conf")
    assert key_of(build).tried[0] == Path(f"{NCS}/nrf/app/child_image/own.pem")


@pytest.mark.parametrize("name", ["root-rsa-2048.pem", "root-ec-p256.pem", "root-ed25519.pem"])
def test_public_keys_are_in_mcuboots_repository(tmp_path: Path, name: str) -> None:
    conf = f"mcuboot_CONF_FILE={NCS}/nrf/app/child_image/mcuboot/prj.conf"
    key = key_of(with_mcuboot_key(tmp_path, name, conf))
    assert key.path == Path(f"{NCS}/bootloader/mcuboot/{name}")
    assert key.tried[0] == Path(f"{NCS}/nrf/app/child_image/mcuboot/{name}")


def test_first_place_that_has_the_file_wins(tmp_path: Path) -> None:
    """Copied with the folders around it, to another place than it was built in."""
    build = with_mcuboot_key(
        tmp_path / "ws" / "app" / "build",
        "own.pem",
        "mcuboot_CONF_FILE=/home/user/ws/app/mcuboot.conf",
    )
    text = (build / "CMakeCache.txt").read_text().replace(RECORDED, "/home/user/ws/app/build")
    write(build, {"CMakeCache.txt": text})
    mcuboot = cache("APPLICATION_SOURCE_DIR=/home/user/ws/mcuboot/boot/zephyr")
    write(build, {"mcuboot/CMakeCache.txt": mcuboot})

    in_repository = write(tmp_path, {"ws/mcuboot/own.pem": "k"}) / "ws" / "mcuboot" / "own.pem"
    assert key_of(build) == key_of(build)
    assert (key_of(build).path, key_of(build).exists) == (in_repository, True)

    beside_conf = write(tmp_path, {"ws/app/own.pem": "k"}) / "ws" / "app" / "own.pem"
    assert (key_of(build).path, key_of(build).exists) == (beside_conf, True)


def test_child_image_build_ignores_the_applications_own_setting(tmp_path: Path) -> None:
    build = with_mcuboot_key(tmp_path, "/boot.pem")
    config = kconfig("BOOTLOADER_MCUBOOT", 'MCUBOOT_SIGNATURE_KEY_FILE="/application.pem"')
    write(build, {"zephyr/.config": config})
    key = key_of(build)
    assert key.setting == "/boot.pem"
    assert key.location.path == build / "mcuboot/zephyr/.config"


def test_zephyr_takes_a_relative_path_from_the_workspace(tmp_path: Path) -> None:
    root = write(tmp_path, {".west/config": "", "keys/own.pem": "key"})
    key = key_of(zephyr_build(root / "app" / "build"))
    assert (key.path, key.exists) == (root / "keys" / "own.pem", True)


def test_workspace_of_another_machine(tmp_path: Path) -> None:
    key = key_of(zephyr_build(tmp_path))
    assert (key.path, key.exists) == (Path(f"{NCS}/keys/own.pem"), False)


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ("${APPLICATION_CONFIG_DIR}/own.pem", "/config/own.pem"),
        ("@APPLICATION_CONFIG_DIR@/own.pem", "/config/own.pem"),
        ("${ZEPHYR_BASE}/../own.pem", f"{NCS}/zephyr/../own.pem"),
        ("/keys/${BOARD}.pem", "/keys/nrf52840dk.pem"),
        ("/keys/${UNKNOWN}.pem", "/keys/${UNKNOWN}.pem"),
    ],
)
def test_variables(tmp_path: Path, setting: str, path: str) -> None:
    build = zephyr_build(tmp_path)
    write(
        build,
        {
            "CMakeCache.txt": cache("APPLICATION_CONFIG_DIR=/config", "BOARD=nrf52840dk"),
            "zephyr/.config": kconfig(
                "BOOTLOADER_MCUBOOT", f'MCUBOOT_SIGNATURE_KEY_FILE="{setting}"'
            ),
        },
    )
    key = key_of(build)
    assert key.setting == setting
    assert key.path == Path(path)


def test_no_setting_is_no_key(tmp_path: Path) -> None:
    build = zephyr_build(tmp_path)
    write(build, {"zephyr/.config": kconfig("BOOTLOADER_MCUBOOT", 'MCUBOOT_SIGNATURE_KEY_FILE=""')})
    assert load(build).key is None


def test_key_below_a_moved_build_directory(tmp_path: Path) -> None:
    """A path inside the recorded build directory means this one, even if the old one exists."""
    old = with_mcuboot_key(tmp_path / "old", f"{RECORDED}/generated/own.pem")
    write(old, {"generated/own.pem": "key"})
    new = tmp_path / "new"
    shutil.copytree(old, new)
    assert key_of(new).path == new / "generated" / "own.pem"


RSA = "BOOT_SIGNATURE_TYPE_RSA"
SB_RSA = f"SB_CONFIG_{RSA}"


@pytest.mark.parametrize(
    ("bootloader", "sysbuild", "expected"),
    [
        ((RSA, f"{RSA}_LEN=2048"), (), SignatureType.RSA_2048),
        ((RSA, f"{RSA}_LEN=3072"), (), SignatureType.RSA_3072),
        (("BOOT_SIGNATURE_TYPE_ECDSA_P256",), (), SignatureType.ECDSA_P256),
        (("BOOT_SIGNATURE_TYPE_ED25519",), (), SignatureType.ED25519),
        (("BOOT_SIGNATURE_TYPE_NONE",), (), SignatureType.NONE),
        ((f"-{RSA}",), (SB_RSA,), SignatureType.RSA_2048),
        # MCUboot's own decides
        (("BOOT_SIGNATURE_TYPE_ED25519",), (SB_RSA,), SignatureType.ED25519),
        ((), (), None),
    ],
)
def test_signature_type(
    tmp_path: Path,
    bootloader: tuple[str, ...],
    sysbuild: tuple[str, ...],
    expected: SignatureType | None,
) -> None:
    write(
        tmp_path,
        {
            "CMakeCache.txt": cache(),
            "domains.yaml": "default: app\ndomains:\n  - name: app\n  - name: mcuboot\n",
            "zephyr/.config": kconfig("SB_CONFIG_BOOTLOADER_MCUBOOT", *sysbuild),
            "app/zephyr/.config": kconfig("BOOTLOADER_MCUBOOT"),
            "mcuboot/CMakeCache.txt": cache() + MCUBOOT_CACHE,
            "mcuboot/zephyr/.config": kconfig("MCUBOOT", *bootloader),
        },
    )
    assert load(tmp_path).signature_type is expected
