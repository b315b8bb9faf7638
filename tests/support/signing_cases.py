# SPDX-License-Identifier: Apache-2.0
"""What the tests of signing share: builds with binaries, and refusals that write nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from signing_builds import firmware, kconfig_of, make_build
from west_dfu_ble import image
from west_dfu_ble.builddir import (
    Build,
    Figure,
    Image,
    Layout,
    Partition,
    Role,
    SignatureType,
    Slot,
)
from west_dfu_ble.diagnostics import DfuBleError, Location
from west_dfu_ble.mcuboot import BootloaderMode as Mode

Keys = Mapping[SignatureType, Path]
P256, RSA, ED = SignatureType.ECDSA_P256, SignatureType.RSA_2048, SignatureType.ED25519


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(build: Build, **arguments: object) -> DfuBleError:
    """Sign, expect an error, and prove that nothing was written."""
    before = tree(build.path)
    with pytest.raises(DfuBleError) as caught:
        image.sign_build(build, **arguments)  # type: ignore[arg-type] # what each test varies
    assert tree(build.path) == before
    return caught.value


def made_build(
    folder: Path, keys: Keys, mode: Mode = Mode.SWAP_USING_MOVE, **facts: object
) -> Build:
    """A child-image build in `folder` with its binaries."""
    facts = {"signature": P256, "key": keys[P256], **facts}
    build = make_build(folder, Layout.NCS_CHILD_IMAGE, mode, **facts)  # type: ignore[arg-type]
    (folder / "zephyr").mkdir(parents=True)
    (folder / "zephyr/app_to_sign.bin").write_bytes(firmware(0))
    if mode.is_direct_xip:
        (folder / "zephyr/mcuboot_secondary_app_to_sign.bin").write_bytes(firmware(1))
    return build


def with_network_core(build: Build, name: str) -> Build:
    """Add the nRF5340's network core and the slots that Partition Manager gives it."""
    core = kconfig_of(
        build.path / name / "zephyr/.config",
        "CONFIG_BOARD=nrf5340dk_nrf5340_cpunet",
        "CONFIG_SOC=nRF5340_CPUNET_QKAA",
        "CONFIG_FW_INFO_FIRMWARE_VERSION=7",
    )
    location = Location(build.path / "partitions.yml", 1)

    def figure(value: int) -> Figure:
        return Figure(value, location)

    slots = (
        Slot(1, 0, "mcuboot_primary_1", figure(0), figure(0x40000), "ram_flash"),
        Slot(1, 1, "mcuboot_secondary_1", figure(0xEC000), figure(0x30000), "flash"),
    )
    return replace(
        build,
        images=(
            *build.images,
            Image(name, Role.NETWORK_CORE, 1, build.path / name, core, None, None),
        ),
        slots=(*build.slots, *slots),
        domain_partitions={
            "CPUNET": (
                Partition("app", figure(0x1008800), figure(0x37800), "flash"),
                Partition(name, figure(0x1008800), figure(0x37000), "flash"),
            )
        },
    )


def hsm(key: Path, request: image.SigningRequest) -> bytes:
    """Sign as an HSM does: knowing the key, the bytes and the algorithm's name, nothing else."""
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    private: Any = load_pem_private_key(key.read_bytes(), None)
    ways: Mapping[str, Callable[[], bytes]] = {
        "RSASSA-PSS with SHA-256, MGF1 with SHA-256, salt of 32 bytes": lambda: private.sign(
            request.data, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()
        ),
        "ECDSA with SHA-256, DER": lambda: private.sign(request.data, ec.ECDSA(SHA256())),
        "ECDSA with SHA-384, DER": lambda: private.sign(request.data, ec.ECDSA(SHA384())),
        "Ed25519": lambda: private.sign(request.data),
    }
    return ways[request.algorithm]()


def hex_record(address: int, data: bytes, kind: int = 0) -> str:
    body = bytes([len(data)]) + address.to_bytes(2, "big") + bytes([kind]) + data
    return f":{(body + bytes([-sum(body) & 0xFF])).hex().upper()}\n"


END = hex_record(0, b"", 1)
