# SPDX-License-Identifier: Apache-2.0
"""Make one image of one binary with imgtool, in a folder of its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..builddir import Build
from ..diagnostics import DfuBleError
from ..faults import fault
from .argument_parts import Signer
from .arguments import sign_arguments
from .capacity import require_fit
from .detached import Detached, mark_pure, without_pure, write_signature
from .imgtool_adapter import Imgtool
from .inputs import Binary
from .key_wrapping import encrypt_image, stand_in_arguments, wrapping_key_of

# imgtool's words for it.
_TOO_LARGE = re.compile(r"Image size \(0x([0-9a-f]+)\) \+ trailer")


def make_image(
    tool: Imgtool,
    build: Build,
    binary: Binary,
    signer: Path | Detached | None,
    version: str | None,
    encrypt: Path | None = None,
) -> bytes:
    """Return the image of `binary`, signed by `signer`; not proved yet.

    Raises `DfuBleError` IM304 if it can't fit its slot, IM307 if a detached signature is missing,
    IM310 if imgtool refuses, IM313 to IM315.
    """
    if not isinstance(signer, Detached):
        return run_imgtool(tool, build, binary, signer, version, encrypt)[0]
    slot = binary.slot
    with tempfile.TemporaryDirectory(prefix="dfu-ble-") as folder:
        options = write_signature(signer, slot.image, slot.index, Path(folder))
        return run_imgtool(tool, build, binary, options, version, encrypt)[0]


def run_imgtool(
    tool: Imgtool,
    build: Build,
    binary: Binary,
    signer: Signer,
    version: str | None,
    encrypt: Path | None = None,
) -> tuple[bytes, list[str]]:
    """Let imgtool sign in a temporary folder; return the image, and the build's arguments.

    Where imgtool can't do what those ask for, it does its part, and the rest is done here.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="dfu-ble-") as folder:
            source, target = Path(folder) / "to_sign.bin", Path(folder) / "signed.bin"
            source.write_bytes(binary.data)
            arguments = sign_arguments(
                build,
                binary.slot.index,
                image=binary.slot.image,
                source=source,
                target=target,
                key=signer,
                version=version,
                encrypt=encrypt,
            )
            secret = wrapping_key_of(arguments)
            takes = stand_in_arguments(arguments, secret, Path(folder)) if secret else arguments
            is_pure = "--fix-sig" in takes and "--pure" in takes
            _sign(tool, without_pure(takes) if is_pure else takes, build, binary)
            data = target.read_bytes()
            if "--vector-to-sign" in takes:
                return data, arguments
            data = mark_pure(data, binary.path) if is_pure else data
            return (encrypt_image(data, secret, binary.path) if secret else data), arguments
    except OSError as error:
        raise fault(
            "IM313",
            f"the temporary folder can't be used: {error.strerror or type(error).__name__}",
            location=Path(tempfile.gettempdir()),
        ) from None


def _sign(tool: Imgtool, arguments: Sequence[str], build: Build, binary: Binary) -> None:
    """Run imgtool; an image that is too large gets our words, which say what the limit is."""
    try:
        tool.sign(arguments)
    except DfuBleError as error:
        size = _TOO_LARGE.search(error.diagnostic.message)
        if size:
            require_fit(build, binary.slot, int(size[1], 16), binary.path)
        raise
