# SPDX-License-Identifier: Apache-2.0
"""The cases of the rules about the build directory as a whole, and the package in it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rule_case import Case
from sample_builds import BuildWithSources, SampleBuild, all_of, copy, edit
from small_builds import SmallBuild

UPDATE, VARIANT_UPDATE = "zephyr/app_update.bin", "zephyr/mcuboot_secondary_app_update.bin"


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


def one_slot(application: str, mcuboot: str) -> SmallBuild:
    """A build of a mode in which the application has no second slot, as Kconfig leaves it."""
    mode = "MCUBOOT_BOOTLOADER_MODE_"
    return SmallBuild(
        {
            f"{mode}SWAP_WITHOUT_SCRATCH": "n",
            f"{mode}{application}": "y",
            "MCUMGR_GRP_IMG": None,
            "CAF_BLE_SMP": None,
        },
        {"BOOT_SWAP_USING_MOVE": "n", mcuboot: "y"},
    )


PACKAGE_CASES: Mapping[str, tuple[Case, ...]] = {
    "EN050": (
        Case(
            BuildWithSources(seconds=3600),
            BuildWithSources(seconds=-60),
            severity="warning",
            message="`prj.conf` was changed 60 minutes after `zephyr.bin` was built",
            has_edit=False,
        ),
    ),
    "EN054": (
        Case(
            one_slot("SINGLE_APP", "SINGLE_APPLICATION_SLOT"),
            message="the bootloader mode is single slot",
            has_edit=False,
        ),
        Case(
            one_slot("FIRMWARE_UPDATER", "BOOT_FIRMWARE_LOADER"),
            message="MCUboot starts a firmware loader, which takes the updates in the "
            "application's place",
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
}
