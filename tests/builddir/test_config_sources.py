# SPDX-License-Identifier: Apache-2.0
"""Where a symbol was set: the files of a configuration in their order, and what they assign."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from west_dfu_ble import builddir
from west_dfu_ble.builddir.config_assignments import (
    Cause,
    ConfigurationSources,
    Provenance,
    where_assigned,
)
from west_dfu_ble.builddir.config_sources import Origin, configuration_files
from west_dfu_ble.diagnostics import Location

BUILDS = Path(__file__).resolve().parents[3] / "shared" / "builds"
BOARD = "nrf52840dk_nrf52840"
NAME = 'CONFIG_NAME="a \\"b"\n'


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def cache(**entries: str) -> str:
    return "".join(f"{name}:STRING={value}\n" for name, value in entries.items())


def single_image(root: Path, config: str, **entries: str) -> Path:
    """A build without sysbuild, as nRF Connect SDK 2.5 leaves it; returns the build directory."""
    build = root / "app/build"
    write(
        root,
        {
            f"zephyr/boards/arm/board/{BOARD}_defconfig": "CONFIG_SERIAL=y\nCONFIG_REBOOT=n\n",
            "app/prj.conf": "# text\nCONFIG_BT=y\n# CONFIG_BT_SMP is not set\n" + NAME,
            f"app/boards/{BOARD}.conf": "CONFIG_BT_RX_STACK_SIZE=2048\nCONFIG_REBOOT=y\n",
            "app/build/CMakeCache.txt": cache(
                CMAKE_CACHEFILE_DIR=str(build),
                APPLICATION_SOURCE_DIR=str(root / "app"),
                APPLICATION_CONFIG_DIR=str(root / "app"),
                ZEPHYR_BASE=str(root / "zephyr"),
                BOARD=BOARD,
                BOARD_DIR=str(root / "zephyr/boards/arm/board"),
                CACHED_CONF_FILE=f"{root}/app/prj.conf;{root}/app/boards/{BOARD}.conf",
            )
            + cache(**entries),
            "app/build/zephyr/.config": config,
        },
    )
    return build


CONFIG = "CONFIG_BT=y\n# CONFIG_BT_SMP is not set\nCONFIG_REBOOT=y\n" + NAME


def provenance(path: Path, symbol: str) -> Provenance:
    build = builddir.load(path)
    return ConfigurationSources(build).provenance(build.application, symbol)


def test_files_are_in_the_order_of_merging(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG, OVERLAY_CONFIG="overlay.conf", EXTRA_CONF_FILE="x.conf")
    write(tmp_path / "app", {"overlay.conf": "", "x.conf": "", "build/last.conf": ""})
    build = builddir.load(path)
    files = configuration_files(build, build.application)
    assert [(file.path.name, file.origin) for file in files] == [
        (f"{BOARD}_defconfig", Origin.BOARD),
        ("prj.conf", Origin.APPLICATION),
        (f"{BOARD}.conf", Origin.APPLICATION),
        ("x.conf", Origin.EXTRA),
        ("overlay.conf", Origin.EXTRA),
        ("last.conf", Origin.BUILD_FOLDER),
    ]
    assert all(file.is_in_place and not file.generated for file in files)


def test_last_assignment_wins_and_the_earlier_ones_are_told(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG)
    known = provenance(path, "CONFIG_REBOOT")
    assert known.cause is Cause.ASSIGNED
    assert [(one.value, one.location.line) for one in known.settings] == [("n", 2), ("y", 2)]
    build = builddir.load(path)
    expected = Location(tmp_path / f"app/boards/{BOARD}.conf", 2)
    assert where_assigned(build, build.application, "CONFIG_REBOOT") == expected


@pytest.mark.parametrize(
    ("symbol", "cause", "line"),
    [
        ("CONFIG_BT", Cause.ASSIGNED, 2),
        ("CONFIG_BT_SMP", Cause.ASSIGNED, 3),
        ("CONFIG_NAME", Cause.ASSIGNED, 4),
        # Assigned, but not in .config: its dependencies are not met.
        ("CONFIG_BT_RX_STACK_SIZE", Cause.DROPPED, 1),
        ("CONFIG_FLASH", Cause.DEFAULT_OR_SELECTED, None),
    ],
)
def test_cause(tmp_path: Path, symbol: str, cause: Cause, line: int | None) -> None:
    known = provenance(single_image(tmp_path, CONFIG), symbol)
    assert known.cause is cause
    assert (known.settings[-1].location.line if known.settings else None) == line


def test_number_written_another_way_is_the_same(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG + "CONFIG_BT_RX_STACK_SIZE=0x800\n")
    assert provenance(path, "CONFIG_BT_RX_STACK_SIZE").cause is Cause.ASSIGNED


def test_file_that_is_not_here_makes_it_unknown_unless_a_later_one_decides(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG, OVERLAY_CONFIG="more.conf")
    more = tmp_path / "app/more.conf"
    assert provenance(path, "CONFIG_FLASH") == Provenance(
        "CONFIG_FLASH", Cause.UNKNOWN, (), (str(more),)
    )
    known = provenance(path, "CONFIG_BT")
    assert (known.cause, known.unread) == (Cause.UNKNOWN, (str(more),))
    assert known.settings[-1].location == Location(tmp_path / "app/prj.conf", 2)
    more.write_text("CONFIG_BT=y\n")
    shutil.rmtree(tmp_path / "zephyr")
    known = provenance(path, "CONFIG_BT")
    assert (known.cause, known.settings[-1].location) == (Cause.ASSIGNED, Location(more, 1))
    # The board's defaults might hold it.
    assert provenance(path, "CONFIG_FLASH").unread[0].endswith(f"{BOARD}_defconfig")


def test_build_that_was_moved_with_its_sources(tmp_path: Path) -> None:
    single_image(tmp_path / "there", CONFIG)
    (tmp_path / "there").rename(tmp_path / "here")
    known = provenance(tmp_path / "here/app/build", "CONFIG_BT")
    assert known.cause is Cause.ASSIGNED
    assert known.settings[-1].location == Location(tmp_path / "here/app/prj.conf", 2)


def test_command_line_wins_over_every_file_a_person_named(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG, CLI_CONFIG_BT="y")
    known = provenance(path, "CONFIG_BT")
    assert [one.file.origin for one in known.settings] == [Origin.APPLICATION, Origin.COMMAND_LINE]
    assert known.settings[-1].location.path == path / "CMakeCache.txt"
    build = builddir.load(path)
    assert where_assigned(build, build.application, "CONFIG_BT") == Location(
        tmp_path / "app/prj.conf", 2
    )


def test_shield_and_snippet(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG, SHIELD="my_shield", EXTRA_CONF_FILE="x.conf")
    snippet = tmp_path / "snippets/s/s.conf"
    write(
        tmp_path,
        {
            "zephyr/boards/shields/one/my_shield.conf": "CONFIG_A=y\n",
            "zephyr/boards/shields/one/my_shield.overlay": "",
            f"zephyr/boards/shields/one/boards/{BOARD}.conf": "CONFIG_A=n\n",
            f"zephyr/boards/shields/two/boards/{BOARD}.conf": "CONFIG_A=y\n",
            "snippets/s/s.conf": "",
            "app/x.conf": "",
            "app/build/zephyr/snippets_generated.cmake": (
                f'zephyr_set(EXTRA_CONF_FILE "{snippet}" SCOPE snippets APPEND)\n'
            ),
        },
    )
    build = builddir.load(path)
    names = [file.path.name for file in configuration_files(build, build.application)]
    assert names[-4:] == ["my_shield.conf", f"{BOARD}.conf", "s.conf", "x.conf"]
    settings = ConfigurationSources(build).settings(build.application)["CONFIG_A"]
    assert [one.location.path.parent.name for one in settings] == ["one", "boards"]


def sysbuild(root: Path) -> Path:
    """A sysbuild build with a bootloader of its own configuration; returns the build directory."""
    build, app = root / "app/build", root / "app"
    write(
        root,
        {
            "app/prj.conf": "CONFIG_BT=y\nCONFIG_FLASH=y\n",
            "app/more.conf": "CONFIG_FLASH=y\n",
            "app/sysbuild.conf": "SB_CONFIG_BOOTLOADER_MCUBOOT=y\n",
            "app/sysbuild/mcuboot.conf": "CONFIG_BOOT_MAX_IMG_SECTORS=256\n",
            "mcuboot/boot/zephyr/prj.conf": "CONFIG_BOOT_MAX_IMG_SECTORS=128\n",
            "app/build/domains.yaml": (
                f"default: app\nbuild_dir: {build}\ndomains:\n"
                f"  - name: app\n    build_dir: {build}/app\n"
                f"  - name: mcuboot\n    build_dir: {build}/mcuboot\nflash_order:\n  - app\n"
            ),
            "app/build/CMakeCache.txt": cache(
                CMAKE_CACHEFILE_DIR=str(build),
                CMAKE_PROJECT_NAME="sysbuild",
                ZEPHYR_BASE="/nowhere/zephyr",
                APP_DIR=str(app),
                SB_CONF_FILE=str(app / "sysbuild.conf"),
                EXTRA_CONF_FILE="more.conf",
                mcuboot_EXTRA_CONF_FILE=str(app / "sysbuild/mcuboot.conf"),
                CONFIG_LOG="y",
                mcuboot_CONFIG_LOG="n",
            ),
            "app/build/zephyr/.config": "SB_CONFIG_BOOTLOADER_MCUBOOT=y\n",
            "app/build/app/CMakeCache.txt": cache(
                APPLICATION_SOURCE_DIR=str(app),
                APPLICATION_CONFIG_DIR=str(app),
                CACHED_CONF_FILE=str(app / "prj.conf"),
                FORCED_CONF_FILE=str(build / "app/zephyr/.config.sysbuild"),
            ),
            "app/build/app/zephyr/.config": "CONFIG_BT=y\nCONFIG_BOOTLOADER_MCUBOOT=y\n",
            "app/build/app/zephyr/.config.sysbuild": "CONFIG_BOOTLOADER_MCUBOOT=y\n",
            "app/build/mcuboot/CMakeCache.txt": cache(
                APPLICATION_SOURCE_DIR=str(root / "mcuboot/boot/zephyr"),
                CACHED_CONF_FILE=str(root / "mcuboot/boot/zephyr/prj.conf"),
            ),
            "app/build/mcuboot/zephyr/.config": (
                "CONFIG_MCUBOOT=y\nCONFIG_BOOT_MAX_IMG_SECTORS=256\n"
            ),
        },
    )
    return build


def test_sysbuild_hands_variables_down_by_the_images_name(tmp_path: Path) -> None:
    build = builddir.load(sysbuild(tmp_path))
    sources = ConfigurationSources(build)
    boot = sources.provenance(build.bootloader, "CONFIG_BOOT_MAX_IMG_SECTORS")
    assert (boot.cause, [one.value for one in boot.settings]) == (Cause.ASSIGNED, ["128", "256"])
    flash = sources.provenance(build.application, "CONFIG_FLASH")
    assert flash.cause is Cause.DROPPED
    assert [one.location.path.name for one in flash.settings] == ["prj.conf", "more.conf"]
    forced = sources.provenance(build.application, "CONFIG_BOOTLOADER_MCUBOOT")
    assert [one.file.origin for one in forced.settings] == [Origin.SYSBUILD]
    assert where_assigned(build, build.application, "CONFIG_BOOTLOADER_MCUBOOT") is None
    own = where_assigned(build, None, "SB_CONFIG_BOOTLOADER_MCUBOOT")
    assert own == Location(tmp_path / "app/sysbuild.conf", 1)
    for image, value in ((build.application, "y"), (build.bootloader, "n")):
        setting = sources.provenance(image, "CONFIG_LOG").settings[-1]
        assert (setting.value, setting.file.origin) == (value, Origin.COMMAND_LINE)


def build_info(**lists: list[Path]) -> str:
    text = "cmake:\n  kconfig:\n"
    for name, files in lists.items():
        text += f"    {name.replace('_', '-')}:\n" + "".join(f"     - '{one}'\n" for one in files)
    return text + "version: 0.1.0\n"


def test_list_that_the_build_wrote_down_is_believed(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG)
    prj, other = tmp_path / "app/prj.conf", tmp_path / "other.conf"
    other.write_text("CONFIG_BT=y\n")
    write(path, {"build_info.yml": build_info(files=[prj, other], extra_user_files=[other])})
    build = builddir.load(path)
    files = configuration_files(build, build.application)
    assert [(file.path, file.origin) for file in files] == [
        (prj, Origin.OTHER),
        (other, Origin.EXTRA),
    ]
    assert where_assigned(build, build.application, "CONFIG_BT") == Location(other, 1)


@pytest.mark.parametrize("text", ["", "cmake: 1\n", "cmake:\n  kconfig:\n    files: {}\n", "- [\n"])
def test_damaged_list_is_passed_over(tmp_path: Path, text: str) -> None:
    path = single_image(tmp_path, CONFIG)
    write(path, {"build_info.yml": text})
    assert provenance(path, "CONFIG_BT").cause is Cause.ASSIGNED


def test_trace_of_the_build_tells_defaults_and_selects(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG)
    prj, kconfig = str(tmp_path / "app/prj.conf"), tmp_path / "zephyr/Kconfig"
    kconfig.write_text("")
    entries: list[object] = [
        ["CONFIG_BT", "y", "bool", "y", "assign", [prj, 2]],
        ["CONFIG_FLASH", "n", "bool", "y", "select", ["BT && SOC", "NVS"]],
        ["CONFIG_CRC", "y", "bool", "n", "default", [str(kconfig), 7]],
        ["CONFIG_BT_RX_STACK_SIZE", "n", "int", None, "unset", None],
        ["CONFIG_ODD", "y"],
        7,
    ]
    write(path, {"zephyr/.config-trace.json": json.dumps(entries)})
    assert provenance(path, "CONFIG_BT").cause is Cause.ASSIGNED
    flash = provenance(path, "CONFIG_FLASH")
    assert (flash.cause, flash.expressions) == (Cause.SELECTED, ("BT && SOC", "NVS"))
    crc = provenance(path, "CONFIG_CRC")
    assert (crc.cause, crc.location) == (Cause.DEFAULT, Location(kconfig, 7))
    assert provenance(path, "CONFIG_BT_RX_STACK_SIZE").cause is Cause.DROPPED
    assert provenance(path, "CONFIG_ODD").cause is Cause.DEFAULT_OR_SELECTED


def test_trace_decides_where_files_are_missing(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG, OVERLAY_CONFIG="more.conf")
    prj = str(tmp_path / "app/prj.conf")
    trace = [["CONFIG_BT", "y", "bool", "y", "assign", [prj, 2]]]
    write(path, {"zephyr/.config-trace.json": json.dumps(trace)})
    assert provenance(path, "CONFIG_BT").cause is Cause.ASSIGNED
    # A line that the file no longer has there is no evidence.
    trace[0][5] = [prj, 1]
    write(path, {"zephyr/.config-trace.json": json.dumps(trace)})
    assert provenance(path, "CONFIG_BT").cause is Cause.UNKNOWN


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, '[["CONFIG_BT",1,2,3,"assign",[1,2]]]'])
def test_damaged_trace_is_passed_over_and_no_pickle_is_opened(tmp_path: Path, text: str) -> None:
    path = single_image(tmp_path, CONFIG)
    # A pickle that would end the process.
    bomb = "cos\n_exit\n(I3\ntR."
    write(path, {"zephyr/.config-trace.json": text, "zephyr/.config-trace.pickle": bomb})
    assert provenance(path, "CONFIG_BT").cause is Cause.ASSIGNED


def test_nothing_but_an_answer_comes_of_mutated_files(tmp_path: Path) -> None:
    path = single_image(tmp_path, CONFIG, SHIELD="a b", EXTRA_CONF_FILE="x.conf;${BOARD}.conf")
    prj = tmp_path / "app/prj.conf"
    write(
        path,
        {
            "build_info.yml": build_info(files=[prj], user_files=[prj]),
            "zephyr/.config-trace.json": json.dumps([["CONFIG_BT", 1, 2, 3, "assign", ["f", 1]]]),
            "zephyr/snippets_generated.cmake": (
                'zephyr_set(EXTRA_CONF_FILE "/s.conf" SCOPE snippets APPEND)\n'
            ),
        },
    )
    random = Random(3)
    names = ["CMakeCache.txt", "build_info.yml", "zephyr/.config-trace.json", "../prj.conf"]
    names.append("zephyr/snippets_generated.cmake")
    originals = {name: (path / name).read_bytes() for name in names}
    pieces = [b"/", b"..", b";", b"*", b"\\", b"[", b"@", b"\n", b"${BOARD}", b"\xff", b"x" * 5000]
    build = builddir.load(path)
    decided = 0
    for _ in range(300):
        name = random.choice(names)
        data = bytearray(originals[name])
        for _ in range(random.randint(1, 4)):
            place = random.randrange(len(data))
            data[place : place + random.randint(0, 20)] = random.choice(pieces)
        (path / name).write_bytes(data)
        known = ConfigurationSources(build).provenance(build.application, "CONFIG_BT")
        decided += known.cause is not Cause.UNKNOWN
        (path / name).write_bytes(originals[name])
    assert 0 < decided < 300


@pytest.mark.skipif(not BUILDS.is_dir(), reason="the text files of real builds are not here")
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "ncs-2.5.0-child-image-swap",
            [
                "/home/user/ncs/zephyr/boards/arm/nrf52840dk_nrf52840/nrf52840dk_nrf52840_defconfig",
                "/home/user/ncs/nrf/applications/machine_learning/configuration/"
                "nrf52840dk_nrf52840/prj_nus.conf",
                "/home/user/ws/ml_smp.conf",
            ],
        ),
        (
            "zephyr-3.5.0-sysbuild-swap",
            [
                "/home/user/zephyrproject/zephyr/zephyr/boards/arm/nrf52840dk_nrf52840/"
                "nrf52840dk_nrf52840_defconfig",
                "/home/user/zephyrproject/zephyr/zephyr/samples/subsys/mgmt/mcumgr/smp_svr/prj.conf",
                "/home/user/zephyrproject/zephyr/zephyr/samples/subsys/mgmt/mcumgr/smp_svr/"
                "overlay-bt.conf",
                "/home/user/ws/build/smp_svr/zephyr/.config.sysbuild",
            ],
        ),
    ],
)
def test_real_builds_name_their_files_which_are_not_here(name: str, expected: list[str]) -> None:
    build = builddir.load(BUILDS / name)
    files = configuration_files(build, build.application)
    assert [file.recorded for file in files] == expected
    known = ConfigurationSources(build).provenance(build.application, "CONFIG_BT")
    assert (known.cause, known.unread) == (Cause.UNKNOWN, tuple(expected))


@pytest.mark.skipif(not BUILDS.is_dir(), reason="the text files of real builds are not here")
def test_real_bootloader_was_configured_by_the_application() -> None:
    build = builddir.load(BUILDS / "ncs-2.5.0-child-image-direct-xip")
    names = [file.recorded for file in configuration_files(build, build.bootloader)]
    assert names[-2:] == [
        "/home/user/ncs/nrf/applications/nrf_desktop/configuration/nrf52840dk_nrf52840/"
        "child_image/mcuboot/prj_fast_pair.conf",
        "/home/user/ncs/nrf/subsys/partition_manager/partition_manager_enabled.conf",
    ]
