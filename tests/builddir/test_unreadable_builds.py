# SPDX-License-Identifier: Apache-2.0
"""Other files of a build that can't be read, and folders that are no build."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from made_builds import cache, child_image_build, devicetree, domains, kconfig, write
from unreadable import Case, assert_unreadable, put
from west_dfu_ble.builddir import load
from west_dfu_ble.diagnostics import DfuBleError

CASES = [
    Case(
        "devicetree-cut",
        put("zephyr/zephyr.dts", "/dts-v1/;\n\n/ { node {"),
        "EN005",
        "zephyr/zephyr.dts:3",
        "`zephyr.dts` does not parse: expected node name, property name, or '}'",
    ),
    Case(
        "devicetree-empty",
        put("zephyr/zephyr.dts", ""),
        "EN005",
        "zephyr/zephyr.dts:1",
        "`zephyr.dts` does not parse: expected '/dts-v1/;' at start of file",
    ),
    Case(
        "devicetree-dangling-label",
        put("zephyr/zephyr.dts", "/dts-v1/;\n/ { a = < &nowhere >; };\n"),
        "EN005",
        "zephyr/zephyr.dts",
        "`zephyr.dts` does not parse: /: undefined node label 'nowhere'",
    ),
    Case(
        "devicetree-includes",
        put("zephyr/zephyr.dts", '/dts-v1/;\n/include/ "other.dts"\n'),
        "EN005",
        "zephyr/zephyr.dts:2",
        "`zephyr.dts` does not parse: it holds `/include/`, which no built file does",
    ),
    Case(
        "devicetree-incbin",
        put("zephyr/zephyr.dts", '/dts-v1/;\n/ {\n\ta = /incbin/ ("x.pem");\n};\n'),
        "EN005",
        "zephyr/zephyr.dts:3",
        "`zephyr.dts` does not parse: it holds `/incbin/`, which no built file does",
    ),
    Case(
        "devicetree-computes",
        put("zephyr/zephyr.dts", "/dts-v1/;\n/ { a = < (1 << 99999999999) >; };\n"),
        "EN005",
        "zephyr/zephyr.dts:2",
        "`zephyr.dts` does not parse: it holds `(`, which no built file does",
    ),
    Case(
        "cache-garbage",
        put("CMakeCache.txt", "ZEPHYR_BASE:PATH=/z\nwhat\n"),
        "EN006",
        "CMakeCache.txt:2",
        "`CMakeCache.txt` has a line that is no cache entry: `what`",
    ),
    Case(
        "cache-binary",
        put("CMakeCache.txt", b"ZEPHYR_BASE:PATH=/z\n\0"),
        "EN006",
        "CMakeCache.txt:2",
        "`CMakeCache.txt` is not text: it holds the byte 0x00",
    ),
    Case(
        "domains-not-yaml",
        put("domains.yaml", "default: ["),
        "EN006",
        "domains.yaml:1",
        "`domains.yaml` is not YAML",
    ),
    Case(
        "domains-without-list",
        put("domains.yaml", "default: app\nbuild_dir: /b\n"),
        "EN006",
        "domains.yaml",
        "`domains.yaml` has no list of domains",
    ),
    Case(
        "domains-default-unknown",
        put("domains.yaml", domains("app").replace("default: app", "default: other")),
        "EN006",
        "domains.yaml:1",
        "the default domain `other` is not among the domains",
    ),
    Case(
        "domains-name-climbs",
        put("domains.yaml", "default: ..\ndomains:\n  - name: ..\n    build_dir: x\n"),
        "EN006",
        "domains.yaml:3",
        "`..` can't be the name of a domain",
    ),
    Case(
        "domains-application-missing",
        put("domains.yaml", domains("app", "mcuboot")),
        "EN003",
        "app/zephyr/.config",
        "`.config` is missing",
    ),
    Case(
        "domains-lost",
        put("zephyr/.config", kconfig("SB_CONFIG_BOOTLOADER_MCUBOOT")),
        "EN006",
        "domains.yaml",
        "`domains.yaml` is missing: the build is a sysbuild one, and it says which images there "
        "are",
    ),
    Case(
        "nsib-alone",
        put("zephyr/.config", kconfig("BT", "SECURE_BOOT")),
        "EN007",
        "zephyr/.config:2",
        "the build boots with the nRF Secure Immutable Bootloader alone (`CONFIG_SECURE_BOOT=y`)",
    ),
    Case(
        "suit",
        put("zephyr/.config", kconfig("SUIT")),
        "EN007",
        "zephyr/.config:1",
        "the build boots with SUIT (`CONFIG_SUIT=y`)",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_unreadable(tmp_path: Path, case: Case) -> None:
    assert_unreadable(tmp_path, case)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DfuBleError) as caught:
        load(tmp_path / "nowhere")
    assert caught.value.diagnostic.code == "EN001"
    assert (
        caught.value.diagnostic.message == f"there is no build directory `{tmp_path / 'nowhere'}`"
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"src/main.c": "int main(void);"}, "`{}` holds no Zephyr build"),
        ({"CMakeCache.txt": "CMAKE_PROJECT_NAME:STATIC=x\n"}, "`{}` holds no Zephyr build"),
        ({"CMakeCache.txt": os.urandom(999)}, "`{}` holds no Zephyr build"),
        (
            {"zephyr/.config": kconfig("MCUBOOT")},
            "`{}` is the build of MCUboot itself, not of an application",
        ),
    ],
)
def test_folder_that_is_no_build(
    tmp_path: Path, files: dict[str, str | bytes], message: str
) -> None:
    with pytest.raises(DfuBleError) as caught:
        load(write(tmp_path, files))
    assert caught.value.diagnostic.code == "EN002"
    assert caught.value.diagnostic.message == message.format(tmp_path)


def test_file_that_is_no_folder(tmp_path: Path) -> None:
    file = write(tmp_path, {"build": "x"}) / "build"
    with pytest.raises(DfuBleError, match="is a file, not a build directory"):
        load(file)


@pytest.mark.parametrize(
    "files",
    [
        {"domains.yaml": domains("app"), "app/CMakeCache.txt": cache("SYSBUILD=True")},
        {"zephyr/.config": kconfig("BT"), "app/CMakeCache.txt": cache("IMAGE_NAME=app")},
    ],
    ids=["sysbuild", "child-image"],
)
def test_folder_of_one_image_names_the_build_above(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, {"app/zephyr/.config": kconfig("BT"), **files})
    with pytest.raises(DfuBleError) as caught:
        load(tmp_path / "app")
    diagnostic = caught.value.diagnostic
    assert diagnostic.code == "EN002"
    assert diagnostic.message == (
        f"`{tmp_path / 'app'}` is the folder of one image, not the whole build"
    )
    assert diagnostic.helps[0].text == (
        f"give the build directory above it: `--build-dir {tmp_path.resolve()}`"
    )


def test_comments_and_strings_that_look_like_directives_are_none(tmp_path: Path) -> None:
    """Newer Zephyrs write the source file of each node into a comment."""
    child_image_build(tmp_path)
    text = devicetree().replace(
        "\tsoc {", '\t/* (1) from /include/ */\n\tsoc {\n\t\ta = "/incbin/";'
    )
    write(tmp_path, {"zephyr/zephyr.dts": text})
    assert load(tmp_path).flash[0].erase_block == 0x1000
