# SPDX-License-Identifier: Apache-2.0
"""`check --baseline`: the version against that of the firmware in the field."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcuboot_images import make_image
from running import RunDfuBle


@pytest.mark.parametrize(
    ("sample", "version", "status"),
    [
        ("build-direct-xip", (1, 1, 9, 0), 0),
        ("build-direct-xip", (1, 2, 0, 0), 3),
        ("build-direct-xip", (1, 3, 0, 0), 3),
        # In swap modes an equal version is installed all the same.
        ("build-swap", (1, 2, 0, 0), 0),
    ],
)
def test_version_against_an_image(
    dfu_ble: RunDfuBle, tiny: Path, sample: str, version: tuple[int, int, int, int], status: int
) -> None:
    image = tiny / "field.bin"
    image.write_bytes(make_image(version))
    result = dfu_ble("check", "-d", tiny / sample, "--baseline", image)
    assert result.status == status, result.out + result.err
    higher = version < (1, 2, 0, 0)
    assert ("[IM358] version-not-raised" in result.out) is not higher


def test_version_against_a_package(dfu_ble: RunDfuBle, tiny: Path) -> None:
    assert dfu_ble("sign", "-d", tiny / "build-direct-xip").status == 0
    package = tiny / "build-direct-xip/zephyr/dfu_application.zip"
    result = dfu_ble("check", "-d", tiny / "build-direct-xip", "--baseline", package)
    assert result.status == 3
    assert "the version is 1.2.0+0, the baseline's 1.2.0+0" in result.out


def test_baseline_that_is_none(dfu_ble: RunDfuBle, tiny: Path) -> None:
    for file in (tiny / "nothing.bin", tiny / "README.md"):
        result = dfu_ble("check", "-d", tiny / "build-swap", "--baseline", file)
        assert result.status == 5
        assert result.err.count("error[IM305]") == 1
