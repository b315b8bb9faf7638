# SPDX-License-Identifier: Apache-2.0
"""One report with an outcome of every kind, made by hand: what each format shows of the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from west_dfu_ble.builddir import (
    Build,
    Figure,
    Image,
    Kconfig,
    Layout,
    ModeFact,
    Role,
    SignatureType,
    Slot,
)
from west_dfu_ble.diagnostics import Diagnostic, Help, Location, Note, Severity
from west_dfu_ble.mcuboot import BootloaderMode
from west_dfu_ble.rules import CheckOptions, CheckReport, Generation, Outcome, Profile, Status
from west_dfu_ble.rules.registry import all_rules

WORKSPACE = Path("/work/space") if Path("/").is_absolute() else Path("C:/work/space")
BUILD = WORKSPACE / "build"
# In a path, a name and a message: what XML, JSON, URIs and workflow commands each must escape.
AWKWARD = 'a name: 100% <&>, {0} "ü"\r\nwith\x07 more'


def sample_report(
    options: CheckOptions | None = None, *, build: Path = BUILD, fatal: bool = True
) -> CheckReport:
    """Return the report; without `fatal` its error is left out."""
    outcomes = [one for one in _outcomes(build) if fatal or one.code != "KC153"]
    rules = tuple(rule for rule in all_rules() if rule.code in {one.code for one in outcomes})
    profile = Profile("caf", "`CONFIG_CAF` is on")
    return CheckReport(
        _build(build), profile, Generation.NEW, options or CheckOptions(), rules, tuple(outcomes)
    )


def _outcomes(build: Path) -> list[Outcome]:
    config = build / "zephyr/.config"
    error = Diagnostic(
        code="KC153",
        name="image-group-disabled",
        severity=Severity.ERROR,
        message="`CONFIG_MCUMGR_GRP_IMG` is off",
        why="The device answers every image command with an error.",
        location=Location(config, 12),
        notes=(
            Note("it is set here", Location(WORKSPACE / "app/prj.conf", 3)),
            Note("it depends on `CONFIG_IMG_MANAGER`"),
        ),
        helps=(
            Help(
                "add to `prj.conf`", "CONFIG_IMG_MANAGER=y\nCONFIG_MCUMGR_GRP_IMG=y\n", "prj.conf"
            ),
        ),
        data={"symbol": "CONFIG_MCUMGR_GRP_IMG", "expected": "y", "actual": "n"},
    )
    warning = Diagnostic(
        code="DT250",
        name="slot-missing",
        severity=Severity.WARNING,
        message=AWKWARD,
        why="A path outside of the folder where the user is, and a file as a whole.",
        location=Location(WORKSPACE.parent / "sdk 1,2:3%/board.dts"),
        helps=(Help("write in the overlay", "&flash0 {\n};\n", "app.overlay", safe=False),),
    )
    info = Diagnostic(
        "KC182", "few-buffers", Severity.INFO, "two buffers", data={"symbol": "CONFIG_X"}
    )
    waived = Diagnostic("IM350", "public-demo-key", Severity.WARNING, "signed with a demo key")
    return [
        Outcome("KC150", "smp-module-disabled", "app", Status.PASS, "`CONFIG_CAF_BLE_SMP` is on"),
        Outcome("KC153", "image-group-disabled", "app", Status.FAIL, diagnostic=error),
        Outcome("DT250", "slot-missing", "", Status.FAIL, diagnostic=warning),
        Outcome("KC182", "few-buffers", "mcuboot", Status.FAIL, diagnostic=info),
        Outcome(
            "IM350", "public-demo-key", "", Status.FAIL, diagnostic=waived, waived="boards only"
        ),
        Outcome("KC151", "caf-disabled", "app", Status.NOT_APPLICABLE, "the profile is `mcumgr`"),
        Outcome("DT251", "slots-differ", "", Status.UNKNOWN, "the build says nothing of slots"),
        Outcome("KC154", "notification-hooks-disabled", "mcuboot", Status.PASS),
    ]


def _build(path: Path) -> Build:
    config = path / "mcuboot/zephyr/.config"
    partitions = path / "partitions.yml"
    slots = (("mcuboot_primary", 0xC000), ("mcuboot_secondary", 0x85000))
    return Build(
        path=path,
        layout=Layout.NCS_CHILD_IMAGE,
        board="nrf52840dk_nrf52840",
        zephyr_version="3.4.99",
        ncs_version="2.5.0",
        images=(
            _image("app", Role.APPLICATION, 0, path, {"CONFIG_CAF": ("y", 1)}),
            _image("mcuboot", Role.BOOTLOADER, None, path / "mcuboot", {}),
        ),
        slots=tuple(
            Slot(
                image=0,
                index=index,
                name=name,
                address=Figure(address, Location(partitions, 10 + index)),
                size=Figure(0x79000, Location(partitions, 20 + index)),
                region="flash_primary",
            )
            for index, (name, address) in enumerate(slots)
        ),
        partitions=(),
        flash=(),
        header_size=None,
        write_block=None,
        mode_built=ModeFact(BootloaderMode.SWAP_USING_MOVE, Location(config, 5)),
        mode_believed=None,
        signature_type=SignatureType.ECDSA_P256,
        key=None,
        version="1.2.0+0",
        version_location=None,
        sysbuild=None,
        artifacts=(),
    )


def _image(
    name: str, role: Role, number: int | None, folder: Path, lines: Mapping[str, tuple[str, int]]
) -> Image:
    kconfig = Kconfig(folder / "zephyr/.config", lines)
    return Image(name, role, number, folder, kconfig, elf=None, application_source=None)
