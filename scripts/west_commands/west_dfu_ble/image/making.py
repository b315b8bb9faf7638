# SPDX-License-Identifier: Apache-2.0
"""Make one image of one binary with imgtool, in a folder of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from ..builddir import Build, SignatureType
from ..faults import fault
from .argument_parts import Signer
from .arguments import sign_arguments
from .capacity import require_fit
from .detached import Detached, write_signature
from .imgtool_adapter import Imgtool
from .inputs import Binary

# The shortest signature in bytes; ECDSA's length varies.
_SIGNATURE_LENGTH = {
    SignatureType.RSA_2048: 256,
    SignatureType.RSA_3072: 384,
    SignatureType.ECDSA_P256: 70,
    SignatureType.ECDSA_P384: 102,
    SignatureType.ED25519: 64,
}


def make_image(
    tool: Imgtool,
    build: Build,
    binary: Binary,
    signer: Path | Detached | None,
    version: str | None,
) -> bytes:
    """Return the image of `binary`, signed by `signer`; not proved yet.

    Raises `DfuBleError` IM304 if it can't fit its slot, IM307 if a detached signature is missing,
    IM310 if imgtool refuses, IM313 to IM315.
    """
    _require_probable_fit(build, binary)
    if not isinstance(signer, Detached):
        return run_imgtool(tool, build, binary, signer, version)[0]
    slot = binary.slot
    with tempfile.TemporaryDirectory(prefix="dfu-ble-") as folder:
        options = write_signature(signer, slot.image, slot.index, Path(folder))
        return run_imgtool(tool, build, binary, options, version)[0]


def run_imgtool(
    tool: Imgtool, build: Build, binary: Binary, signer: Signer, version: str | None
) -> tuple[bytes, list[str]]:
    """Let imgtool sign in a temporary folder; return what it wrote, and its arguments."""
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
            )
            tool.sign(arguments)
            return target.read_bytes(), arguments
    except OSError as error:
        raise fault(
            "IM313",
            f"the temporary folder can't be used: {error.strerror or type(error).__name__}",
            location=Path(tempfile.gettempdir()),
        ) from None


def _require_probable_fit(build: Build, binary: Binary) -> None:
    """Refuse what can't fit before imgtool does, which does not say what the limit is made of."""
    if build.application.kconfig.is_on("CONFIG_MCUBOOT_COMPRESSED_IMAGE_SUPPORT_ENABLED"):
        return
    header = build.header_size.value if build.header_size else 0
    signature = build.signature_type
    # The area's own header and the hash; then the key's hash and the signature.
    entries = 4 + 36
    if signature in _SIGNATURE_LENGTH:
        entries += 36 + 4 + _SIGNATURE_LENGTH[signature]
    require_fit(build, binary.slot, header + len(binary.firmware) + entries, binary.path)
