# SPDX-License-Identifier: Apache-2.0
"""Every reader of what comes from outside, with sound files to spoil and how to have them read.

A reader comes back, or raises `DfuBleError`; anything else is a fault of the tool. What it returns
is looked through for nonsense.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from made_builds import (
    FLASH,
    RECORDED,
    SLOTS,
    SRAM,
    cache,
    child_image_build,
    devicetree,
    domains,
    write,
)
from made_builds import kconfig as kconfig_text
from mcuboot_images import make_image
from sample_builds import TINY, copy_tiny
from west_dfu_ble import builddir, cli, image
from west_dfu_ble.builddir import Build, ConfigurationSources
from west_dfu_ble.configuration import read_configuration
from west_dfu_ble.diagnostics import ExitStatus
from west_dfu_ble.image.binary_file import read_binary
from west_dfu_ble.options import FORMATS

# Where the spoilt file belongs, and what reads it there.
Prepared = tuple[Path, Callable[[], object]]


@dataclass(frozen=True)
class Reader:
    """One reader: `share` of two hundred inputs are its, `prepare` makes it ready in a folder.

    `wrap` makes the file of what was spoilt, where that is a part of it.
    """

    share: int
    originals: Sequence[bytes]
    prepare: Callable[[Path], Prepared]
    wrap: Callable[[bytes], bytes] = bytes


PM_CONFIG = "".join(
    f"PM_{name}_ADDRESS={address:#x}\nPM_{name}_SIZE=0x1000\nPM_{name}_NAME={name.lower()}\n"
    f"PM_{name}_ID={number}\n"
    for number, (name, address) in enumerate(
        [("MCUBOOT", 0), ("MCUBOOT_PRIMARY", 0x1000), ("MCUBOOT_SECONDARY", 0x2000)]
    )
)
BUILD_FILES: Mapping[str, str] = {
    "zephyr/.config": kconfig_text(
        "BOOTLOADER_MCUBOOT",
        "MCUBOOT_BOOTLOADER_MODE_DIRECT_XIP",
        'MCUBOOT_IMGTOOL_SIGN_VERSION="1.2.3+4"',
        'MCUBOOT_SIGNATURE_KEY_FILE="${APPLICATION_CONFIG_DIR}/own.pem"',
        'KERNEL_BIN_NAME="zephyr"',
        "-CAF",
        "ROM_START_OFFSET=0x200",
    ),
    "CMakeCache.txt": cache(f"CMAKE_CACHEFILE_DIR={RECORDED}", "APPLICATION_SOURCE_DIR=/a/b"),
    "domains.yaml": domains("app", "mcuboot"),
    "partitions.yml": SLOTS,
    "regions.yml": FLASH + SRAM,
    "pm.config": PM_CONFIG,
    "zephyr/zephyr.dts": devicetree(),
}
_SHARES = {
    "zephyr/.config": 18,
    "CMakeCache.txt": 13,
    "domains.yaml": 13,
    "partitions.yml": 18,
    "regions.yml": 10,
    "pm.config": 8,
    "zephyr/zephyr.dts": 16,
}


def _file_of_a_build(name: str) -> Callable[[Path], Prepared]:
    def prepare(folder: Path) -> Prepared:
        child_image_build(folder)
        if name == "pm.config":
            (folder / "partitions.yml").unlink()
        if name == "domains.yaml":
            for one in ("app", "mcuboot"):
                write(folder, {f"{one}/zephyr/.config": kconfig_text("BT")})

        def read() -> None:
            _sane(builddir.load(folder))

        return folder / name, read

    return prepare


def _sane(build: Build) -> None:
    assert build.application.number is not None
    assert len({(slot.image, slot.index) for slot in build.slots}) == len(build.slots)
    for partition in build.partitions:
        assert partition.address.value >= 0
        assert partition.size.value >= 0
        assert partition.size.location.path.is_file()


def _configuration_source(name: str) -> Callable[[Path], Prepared]:
    """Read a file that tells where a symbol was set; what is damaged is passed over."""

    def prepare(folder: Path) -> Prepared:
        application, path = folder / "app", folder / "app/build"
        child_image_build(path)
        places = {
            "CMAKE_CACHEFILE_DIR": path,
            "APPLICATION_SOURCE_DIR": application,
            "CONF_FILE": "prj.conf",
        }
        text = cache(*(f"{key}={value}" for key, value in places.items()))
        write(path, {"CMakeCache.txt": text, **{k: v for k, v in SOURCES.items() if k[0] != "."}})
        write(application, {"prj.conf": SOURCES["../prj.conf"]})
        build = builddir.load(path)

        def read() -> None:
            sources = ConfigurationSources(build)
            for symbol in ("CONFIG_BT", "CONFIG_MCUMGR", "CONFIG_NONE"):
                sources.provenance(build.application, symbol)

        return path / name, read

    return prepare


SOURCES: Mapping[str, str] = {
    "zephyr/.config-trace.json": json.dumps(
        [
            ["CONFIG_BT", "y", "bool", "y", "assign", ["app/prj.conf", 1]],
            ["CONFIG_MCUMGR", "y", "bool", "y", "default", ["zephyr/Kconfig", 7]],
            ["CONFIG_NET_BUF", "n", "bool", "y", "select", ["BT", "MCUMGR && BT"]],
            ["CONFIG_X", "y", "int", None, "unset", None],
        ]
    ),
    "build_info.yml": (
        "cmake:\n  board:\n    name: nrf52840dk\n  kconfig:\n    files:\n     - 'app/prj.conf'\n"
        "    user-files:\n     - 'app/prj.conf'\nversion: 0.1.0\n"
    ),
    "zephyr/snippets_generated.cmake": (
        'zephyr_set(EXTRA_CONF_FILE "/s.conf" SCOPE snippets APPEND)\n'
    ),
    "../prj.conf": 'CONFIG_BT=y\n# CONFIG_MCUMGR is not set\nCONFIG_A="text" # why\n',
}


def _elf(folder: Path) -> Prepared:
    path = folder / "zephyr.elf"

    def read() -> None:
        builddir.read_elf(path)

    return path, read


def _image(folder: Path) -> Prepared:
    path = folder / "app_update.bin"
    key = image.build_key(builddir.load(TINY / "build-direct-xip"), None)

    def read() -> None:
        parsed = image.read(path)
        assert parsed.size <= len(parsed.data)
        for one in image.inspect(path):
            json.dumps(image.inspection_as_dict(one))
        image.verify(parsed, path, key)

    return path, read


def _package(folder: Path) -> Prepared:
    path = folder / "dfu_application.zip"

    def read() -> None:
        for entry in image.read_package(path).entries:
            image.parse(entry.data, path)

    return path, read


def _hex(folder: Path) -> Prepared:
    path = folder / "zephyr.hex"

    def read() -> None:
        read_binary(path)

    return path, read


def _settings(folder: Path) -> Prepared:
    path = folder / "dfu-ble.yml"

    def read() -> None:
        read_configuration(path)

    return path, read


# Whatever a build holds, in the order in which it is spoilt in turn.
CHECKED = (
    "zephyr/.config", "zephyr/zephyr.elf", "zephyr/app_update.bin", "zephyr/dfu_application.zip",
    "zephyr/zephyr.dts", "zephyr/zephyr.bin", "zephyr/app_to_sign.bin", "partitions.yml",
    "regions.yml", "pm.config", "CMakeCache.txt", "mcuboot/zephyr/.config",
    "mcuboot/zephyr/zephyr.dts", "mcuboot/zephyr/autogen-pubkey.c", "mcuboot/CMakeCache.txt",
    "mcuboot_secondary_app/zephyr/.config", "mcuboot_secondary_app/zephyr/zephyr.elf",
    "mcuboot_secondary_app/CMakeCache.txt", "../prj_direct_xip.conf",
    "../child_image/mcuboot/prj_direct_xip.conf",
)  # fmt: skip


def _whole_check(number: int) -> Callable[[Path], Prepared]:
    """The whole command on a sample in which one file is spoilt; every format in turn."""

    def prepare(folder: Path) -> Prepared:
        copy_tiny(folder)
        build = folder / "build-direct-xip"
        name = CHECKED[number]
        rounds = 0

        def read() -> None:
            nonlocal rounds
            rounds += 1
            style = FORMATS[rounds % len(FORMATS)]
            out, err = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                status = cli.main(["check", "-d", str(build), "--format", style])
            assert status in (ExitStatus.DONE, ExitStatus.FINDINGS, ExitStatus.UNDECIDED)
            assert "Traceback" not in out.getvalue() + err.getvalue()
            if style in ("json", "sarif", "gitlab"):
                json.loads(out.getvalue())

        return build / name, read

    return prepare


def _zip(manifest: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.bin", IMAGE)
        archive.writestr("second.bin", make_image((2, 0, 0), size=300, linked_for=0x82000))
        archive.writestr("manifest.json", manifest)
    return made.getvalue()


IMAGE = make_image((1, 2, 3, 4), size=900, linked_for=0x8000, extra_tlvs=((0x50, b"\7\0\0\0"),))
ROM_FIXED = make_image((1, 2, 3), size=300, linked_for=0x8000, rom_fixed=True)
_FILE = {"type": "application", "board": "nrf52840dk", "soc": "nRF52840", "load_address": 0x8200}
MANIFEST = json.dumps(
    {
        "format-version": 1,
        "time": 1700000000,
        "name": "tiny",
        "files": [
            {**_FILE, "file": "app.bin", "slot": "0", "version_MCUBOOT+XIP": "1.2.3+4"},
            {**_FILE, "file": "second.bin", "slot": "1", "version_MCUBOOT+XIP": "2.0.0"},
        ],
    }
).encode()
SETTINGS = b"""\
release: false
profile: caf
fail-on: warning
link: serial:/dev/ttyACM0@115200
device: "My device"
severity: {KC185: error, IM350: info}
waivers:
  - {rule: IM350, reason: "bench units only", until: 2030-01-31, image: mcuboot}
"""


def _sample(name: str) -> bytes:
    return (TINY / "build-direct-xip" / name).read_bytes()


def _samples(name: str) -> tuple[bytes, ...]:
    """The sample's own file of that name, if it has one."""
    path = TINY / "build-direct-xip" / name
    return (path.read_bytes(),) if path.exists() else ()


def _original(name: str) -> bytes:
    """A file of the sample, or a small image or package where the sample is not signed."""
    if name.endswith("_update.bin"):
        return ROM_FIXED
    return _zip(MANIFEST) if name.endswith(".zip") else _sample(name)


READERS: Mapping[str, Reader] = {
    **{
        name: Reader(_SHARES[name], (text.encode(), *_samples(name)), _file_of_a_build(name))
        for name, text in BUILD_FILES.items()
    },
    **{
        name: Reader(5, (text.encode(),), _configuration_source(name))
        for name, text in SOURCES.items()
    },
    "zephyr.elf": Reader(18, (_sample("mcuboot/zephyr/zephyr.elf"),), _elf),
    "app_update.bin": Reader(18, (IMAGE, ROM_FIXED), _image),
    "dfu_application.zip": Reader(12, (_zip(MANIFEST),), _package),
    "manifest.json": Reader(10, (MANIFEST,), _package, wrap=_zip),
    "zephyr.hex": Reader(4, (_sample("mcuboot/zephyr/zephyr.hex"),), _hex),
    "dfu-ble.yml": Reader(2, (SETTINGS,), _settings),
    **{
        f"check {name}": Reader(1, (_original(name),), _whole_check(number))
        for number, name in enumerate(CHECKED)
    },
}
