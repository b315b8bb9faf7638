# SPDX-License-Identifier: Apache-2.0
"""The real imgtool, as the tests' second opinion."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result


def run_imgtool(*arguments: object) -> Result:
    """Run imgtool's own command line with `arguments`."""
    from imgtool.main import imgtool

    return CliRunner().invoke(imgtool, [str(argument) for argument in arguments])


def imgtool_accepts(path: Path, key: Path) -> bool:
    """Whether `imgtool verify` calls the image at `path` valid for `key`."""
    return run_imgtool("verify", "-k", key, path).exit_code == 0


def imgtool_signs(firmware: bytes, folder: Path, *options: object) -> bytes:
    """Sign `firmware` with ``imgtool sign`` and return the image."""
    source, target = folder / "firmware.bin", folder / "image.bin"
    source.write_bytes(firmware)
    common = ("--header-size", "0x200", "--pad-header", "--slot-size", "0x7a000", "--align", "4")
    result = run_imgtool("sign", "--version", "1.2.3+4", *common, *options, source, target)
    assert result.exit_code == 0, result.output
    return target.read_bytes()
