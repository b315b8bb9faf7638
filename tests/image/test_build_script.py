# SPDX-License-Identifier: Apache-2.0
"""What the build's own scripts told imgtool, compared with what is right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sample_builds import copy_tiny
from signing_builds import make_build
from west_dfu_ble import builddir, cli, image
from west_dfu_ble.builddir import Layout
from west_dfu_ble.diagnostics import Severity
from west_dfu_ble.mcuboot import BootloaderMode as Mode

BUILDS = Path(__file__).resolve().parents[2].parent / "shared" / "builds"
RULE = "  COMMAND = cd /ws && python3 $ZEPHYR/imgtool.py {} && cmake -E true\n"


@pytest.mark.parametrize(
    ("name", "slots"),
    [("ncs-2.5.0-child-image-direct-xip", [0, 1]), ("ncs-2.5.0-child-image-swap", [0])],
)
def test_real_builds_were_right(name: str, slots: list[int], tmp_path: Path) -> None:
    if not (BUILDS / name).is_dir():
        pytest.skip("the real build directories are not here (../shared/builds)")
    folder = tmp_path / name
    shutil.copytree(BUILDS / name, folder)
    lines = (folder / "imgtool-commands.txt").read_text().splitlines()
    commands = [line.partition(": ")[2] for line in lines if line.startswith("build.ninja: ")]
    (folder / "build.ninja").write_text("".join(f"  {command}\n" for command in commands))
    build = builddir.load(folder)

    recorded = image.recorded_commands(build)

    assert [one.slot for one in recorded] == slots
    for one in recorded:
        source, target = Path(one.arguments[-2]), Path(one.arguments[-1])
        ours = image.sign_arguments(build, one.slot, source=source, target=target)
        assert list(one.arguments) == ours
    assert image.build_script_findings(build) == ()


def test_ncs_2_5_under_sysbuild(tmp_path: Path) -> None:
    """As a real build of NCS 2.5.0 did: the devicetree's slot size, and two header sizes."""
    build = make_build(
        tmp_path,
        Layout.NCS_SYSBUILD,
        Mode.SWAP_USING_MOVE,
        key=Path("K"),
        slot_size=0x77000,
        ncs="2.5.0",
    )
    script = tmp_path / "app/build.ninja"
    script.parent.mkdir()
    arguments = (
        "sign --version 1.2.3+4 --header-size 0x0 --align 4 --slot-size 0x76000 --pad-header "
        "--header-size 0x200 -k K app/zephyr/zephyr.bin app/zephyr/zephyr.signed.bin"
    )
    script.write_text("# ninja\n" + RULE.format(arguments))

    findings = image.build_script_findings(build)

    assert [(one.severity, one.message) for one in findings] == [
        (
            Severity.WARNING,
            "the build gives imgtool `--header-size` 2 times (0x0, 0x200), of which the last "
            "counts",
        ),
        (Severity.WARNING, "the build signs with `--slot-size 0x76000`, right is 0x77000"),
    ]
    assert {str(one.location) for one in findings} == {f"{script}:2"}
    assert findings[1].notes[0].text == "the slot has 0x77000 bytes"


def test_sign_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "build"
    copy_tiny(tmp_path / "tiny")
    build = tmp_path / "tiny/build-direct-xip"
    names = ("app", "mcuboot_secondary_app")
    (build / "build.ninja").write_text(
        "".join(
            RULE.format(
                "sign --version 1.2.0+0 --header-size 0x200 --slot-size 0x7a000 --rom-fixed 0x8000 "
                f"{name}_to_sign.bin /ws/build/zephyr/{name}_update.bin"
            )
            for name in names
        )
    )
    assert cli.main(["sign", "-d", str(build), "--output", str(folder)]) == 0
    said = capsys.readouterr().err
    assert said.count("warning[IM318]") == 1
    assert "the build signs with `--rom-fixed 0x8000`, right is 0x82000" in said
    assert image.read(folder / "mcuboot_secondary_app_update.bin").load_address == 0x82000


def test_script_that_says_nothing(tmp_path: Path) -> None:
    build = make_build(tmp_path, key=Path("K"))
    assert image.build_script_findings(build) == ()
    (tmp_path / "build.ninja").write_bytes(b"\xff imgtool sign 'open app_update.bin\n" * 3)
    assert image.build_script_findings(build) == ()
