# SPDX-License-Identifier: Apache-2.0
"""Other people's clients update the virtual device: what they see of it is right."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from client_environments import MCUMGR_TOOLKIT, SMPCLIENT, client_python, run_client
from serving import serving
from west_dfu_ble import builddir, image

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process"),
    pytest.mark.timeout(400),  # an environment is made the first time
]
REPOSITORY = Path(__file__).resolve().parents[2]
_FACTORY, _UPDATE = "1.0.0", "2.3.4"


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sample's program, signed in two versions: what the device runs, and the update."""
    build = builddir.load(REPOSITORY / "samples" / "tiny" / "build-swap")
    payload = image.binary_for(build, 0).data
    paths = []
    for version in (_FACTORY, _UPDATE):
        path = tmp_path_factory.mktemp("images") / f"{version}.bin"
        path.write_bytes(image.sign_payload(payload, build, 0, f"{version}+0"))
        paths.append(path)
    return paths[0], paths[1]


def slot(index: int, file: Path, *flags: str) -> dict[str, Any]:
    """Return what a client should see in a slot that holds the image of a file."""
    read = image.read(file)
    assert read.digest is not None
    return {
        "slot": index,
        "version": file.stem,
        "hash": read.digest.hex(),
        "flags": sorted(["bootable", *flags]),
    }


def check(seen: dict[str, Any], factory: Path, update: Path) -> None:
    """Compare what every client reports with the two images."""
    running = slot(0, factory, "active", "confirmed")
    assert seen["echo"] == "hello"
    assert seen["parameters"] == [2475, 4]
    assert seen["factory"] == [running]
    assert seen["offset"] == update.stat().st_size
    assert seen["uploaded"] == [running, slot(1, update)]
    assert seen["to be tested"] == [running, slot(1, update, "pending")]
    assert seen["on trial"] == [slot(0, update, "active"), slot(1, factory, "confirmed")]
    confirmed = slot(0, update, "active", "confirmed")
    assert seen["confirmed"] == [confirmed, slot(1, factory)]
    assert seen["erased"] == [confirmed]


def test_smpclient_over_bluetooth(images: tuple[Path, Path]) -> None:
    factory, update = images
    client_python(SMPCLIENT)  # made, or the test skipped, before anything is served
    with serving("--from", factory, "--hci", "127.0.0.1:0") as served:
        hci = served.link.removeprefix("hci:")
        seen = run_client(SMPCLIENT, "smpclient_session.py", hci, served.name, update)
    assert f"the device runs {_UPDATE}" in served.out
    check(seen, factory, update)
    assert seen["unknown hash"] == [1, 8]  # image group, IMG_MGMT_ERR_HASH_NOT_FOUND


def test_mcumgr_toolkit_over_udp(images: tuple[Path, Path]) -> None:
    factory, update = images
    client_python(MCUMGR_TOOLKIT)
    with serving("--from", factory, "--udp", "127.0.0.1:0") as served:
        place = served.link.removeprefix("udp:")
        seen = run_client(MCUMGR_TOOLKIT, "mcumgr_toolkit_session.py", place, update)
    assert f"the device runs {_UPDATE}" in served.out
    check(seen, factory, update)
    # MCUBOOT_MODE_SWAP_WITHOUT_SCRATCH, that is swap using move; both slots of an nRF52840 DK.
    assert (seen["bootloader"]["name"], seen["bootloader"]["mode"]) == ("MCUboot", 3)
    assert seen["slot sizes"] == [0x76000, 0x76000]
    assert "IMG_MGMT_ERR_HASH_NOT_FOUND" in seen["unknown hash"]
