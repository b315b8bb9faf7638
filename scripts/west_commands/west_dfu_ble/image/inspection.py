# SPDX-License-Identifier: Apache-2.0
"""Look into an image or a package: what stands in it, and what can be proved of it here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..builddir import Build
from ..diagnostics import DfuBleError
from .bootloader_key import build_key
from .capacity import capacity
from .imgtool_adapter import AskPassphrase
from .keys import PublicKey, demo_key
from .model import McubootImage
from .package import read_package
from .parsing import parse, read
from .proof import require_place
from .tlv import SIGNATURES, TlvType, name
from .verification import verify

_FLAGS = {
    0x001: "PIC",
    0x004: "ENCRYPTED_AES128",
    0x008: "ENCRYPTED_AES256",
    0x010: "NON_BOOTABLE",
    0x020: "RAM_LOAD",
    0x100: "ROM_FIXED",
    0x200: "COMPRESSED_LZMA1",
    0x400: "COMPRESSED_LZMA2",
    0x800: "COMPRESSED_ARM_THUMB",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `ok` is `None` where it could not be decided, `text` says why.

    `about` is ``hash``, ``signature`` or ``primary slot`` and ``secondary slot``.
    """

    about: str
    ok: bool | None
    text: str


@dataclass(frozen=True)
class Inspection:
    """An image with its findings; `file` is the file, or the file and the member of a package."""

    file: Path
    image: McubootImage
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing that could be decided is wrong, and some slot takes the image."""
        slots = [f.ok for f in self.findings if f.about.endswith("slot")]
        others = [f.ok for f in self.findings if not f.about.endswith("slot")]
        return False not in others and (not slots or True in slots)


def inspect(
    path: Path, build: Build | None = None, *, ask: AskPassphrase | None = None
) -> tuple[Inspection, ...]:
    """Look into an image file, or into every image of a package; with the build that it is for.

    Raises `DfuBleError` IM305 if the file is no image, IM311 if it is no package.
    """
    key = build_key(build, ask) if build else None
    if _is_zip(path):
        entries = read_package(path).entries
        return tuple(
            _inspect(parse(e.data, path / e.file), path / e.file, build, key, e.image)
            for e in entries
        )
    return (_inspect(read(path), path, build, key, 0),)


def flag_names(flags: int) -> list[str]:
    """Return the names of the header's flags; a bit without a name as its number."""
    bits = [1 << n for n in range(32) if flags & 1 << n]
    return [_FLAGS.get(bit, f"0x{bit:x}") for bit in bits]


def as_dict(inspection: Inspection) -> dict[str, object]:
    """Return an inspection as JSON-ready values; sizes in bytes, contents in hexadecimal."""
    image = inspection.image
    return {
        "file": str(inspection.file),
        "version": str(image.version),
        "header_size": image.header_size,
        "payload_size": image.payload_size,
        "protected_size": image.protected_size,
        "size": image.size,
        "file_size": len(image.data),
        "flags": flag_names(image.flags),
        "load_address": image.load_address,
        "hash": image.digest.hex(),
        "entries": [
            {
                "type": t.type,
                "name": name(t.type),
                "protected": t.protected,
                "offset": t.offset,
                "value": t.value.hex(),
            }
            for t in image.tlvs
        ],
        "findings": [{"about": f.about, "ok": f.ok, "text": f.text} for f in inspection.findings],
    }


def _inspect(
    image: McubootImage, path: Path, build: Build | None, key: PublicKey | None, number: int
) -> Inspection:
    findings = [_hash(image, path), _signature(image, path, key)]
    if build is not None:
        findings += _slots(image, path, build, number)
    return Inspection(path, image, tuple(findings))


def _hash(image: McubootImage, path: Path) -> Finding:
    wrong = _problem(lambda: verify(image, path, None))
    if wrong:
        return Finding("hash", False, wrong)
    if image.is_encrypted:
        return Finding("hash", None, "is over the plain firmware, and the image is encrypted")
    return Finding("hash", True, f"SHA-{image.digest_bits} {image.digest.hex()}")


def _signature(image: McubootImage, path: Path, key: PublicKey | None) -> Finding:
    if key is not None:
        wrong = _problem(lambda: verify(image, path, key))
        text = f"{key.type.value}, valid for the bootloader's key {_named(key.keyhash)}"
        return Finding("signature", not wrong, wrong or text)
    if not any(t.type in SIGNATURES for t in image.tlvs):
        return Finding("signature", None, "the image has none")
    entry = image.tlv(TlvType.KEYHASH)
    by = f"by the key {_named(entry.value)}" if entry else "by a key that it does not name"
    return Finding("signature", None, f"{by}; not checked, for the bootloader's key is not here")


def _slots(image: McubootImage, path: Path, build: Build, number: int) -> list[Finding]:
    """Judge the slots alone: hash and signature have findings of their own."""
    in_place = build.mode is not None and build.mode.is_direct_xip
    findings = []
    for index in (0, 1) if in_place else (0,):
        slot = build.slot(index, number)
        if slot is None:
            continue

        def look(index: int = index) -> None:
            require_place(image, path, build, index, image_number=number)

        wrong = _problem(look)
        limit = capacity(build, slot).limit
        text = f"runs from 0x{slot.address.value:x}; {image.size} of at most {limit} bytes"
        findings.append(Finding(f"{slot.title} slot", not wrong, wrong or text))
    return findings


def _problem(look: Callable[[], None]) -> str:
    try:
        look()
    except DfuBleError as error:
        return f"{error.diagnostic.code}: {error.diagnostic.message}"
    return ""


def _named(keyhash: bytes) -> str:
    demo = demo_key(keyhash)
    return f"{keyhash.hex()[:16]}…" + (f" (the public demo key {demo})" if demo else "")


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")  # the latter: an empty one
    except OSError:
        return False  # `read` says it better
