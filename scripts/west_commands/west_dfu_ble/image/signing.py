# SPDX-License-Identifier: Apache-2.0
"""Sign a build's update images as its own build scripts would, and prove each one."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..builddir import ArtifactKind, Build, SignatureType
from ..diagnostics import DfuBleError
from ..faults import fault
from .arguments import parse_version, sign_arguments
from .capacity import require_fit
from .imgtool_adapter import AskPassphrase, Imgtool
from .inputs import Binary, binaries_to_sign, pads_header
from .keys import PublicKey
from .model import ImageVersion, McubootImage
from .packaging import package_files, package_path
from .parsing import parse, read
from .proof import prove
from .signing_key import require_key
from .verification import hashed_region, verify
from .writing import write_all

_FILE_NAMES = {
    (0, 0): "app_update.bin",
    (0, 1): "mcuboot_secondary_app_update.bin",
    (1, 0): "net_core_app_update.bin",
}
# The shortest signature in bytes; ECDSA's length varies.
_SIGNATURE_LENGTH = {
    SignatureType.RSA_2048: 256,
    SignatureType.RSA_3072: 384,
    SignatureType.ECDSA_P256: 70,
    SignatureType.ECDSA_P384: 102,
    SignatureType.ED25519: 64,
}


@dataclass(frozen=True)
class SignedImage:
    """An update image that stands at `path` and was proved; `slot` is what it is linked for.

    `kept` says that the file was there, made from the present binary, and was not touched.
    """

    path: Path
    image: McubootImage
    slot: int
    image_number: int
    kept: bool


def sign_build(
    build: Build,
    *,
    force: bool = False,
    version: str | None = None,
    key: Path | None = None,
    output: Path | None = None,
    package: bool = True,
    baseline: ImageVersion | None = None,
    ask: AskPassphrase | None = None,
) -> tuple[SignedImage, ...]:
    """Make the build's update images, one for each slot that needs its own.

    They become ``zephyr/app_update.bin`` and, in direct-xip, from the variant's own binary,
    ``zephyr/mcuboot_secondary_app_update.bin``, in the build directory or in the folder `output`;
    a network core that MCUboot updates too gets ``zephyr/net_core_app_update.bin``. An image that
    is there already (by whatever name the build's own scripts gave it), was made from the present
    binary in the same way and verifies is kept, unless `force`. `package` makes the package too,
    see `package_path`.

    `version` and `key` default to the build's; `ask` gives the passphrase of a locked key. The
    application's version must be higher than `baseline`, if that is given. Nothing is written
    before every image was proved: signature, hash, slot, size and version.

    Raises `DfuBleError` IM301 to IM304 and IM306 to IM317; EN008 for a bad SOURCE_DATE_EPOCH.
    """
    if version is not None:
        parse_version(version)
    tool = Imgtool(ask)
    signing_key, public = require_key(build, tool, key)
    signed = []
    for binary in binaries_to_sign(build):
        slot = binary.slot
        image = parse(_sign(tool, build, binary, signing_key, version), binary.path)
        prove(
            image,
            binary.path,
            build,
            slot.index,
            key=public,
            image_number=slot.image,
            baseline=None if slot.image else baseline,
        )
        signed.append(_settle(build, binary, image, public, output, force))
    files = {one.path: one.image.data for one in signed if not one.kept}
    if package:
        images = {(one.image_number, one.slot): one.image for one in signed}
        files.update(package_files(build, images, package_path(build, output)))
    write_all(files)
    return tuple(signed)


def sign_payload(payload: bytes, build: Build, slot: int, version: str) -> bytes:
    """Return `payload` (firmware without header) as a signed image of another version.

    Everything but the version is as `sign_build` does it; nothing is written to the build.
    Raises `DfuBleError` IM301 to IM304, IM310, IM314, IM315.
    """
    parse_version(version)
    tool = Imgtool()
    signing_key, _ = require_key(build, tool, None)
    place = build.slot(slot)
    if place is None:
        raise fault("IM315", f"the build has no slot {slot}", location=build.path)
    padding = 0 if pads_header(build) else (build.header_size.value if build.header_size else 0)
    binary = Binary(place, build.path, bytes(padding) + payload, padding)
    return _sign(tool, build, binary, signing_key, version)


def _sign(
    tool: Imgtool, build: Build, binary: Binary, key: Path | None, version: str | None
) -> bytes:
    _require_probable_fit(build, binary)
    try:
        with tempfile.TemporaryDirectory(prefix="dfu-ble-") as folder:
            source, target = Path(folder) / "to_sign.bin", Path(folder) / "signed.bin"
            source.write_bytes(binary.data)
            tool.sign(
                sign_arguments(
                    build,
                    binary.slot.index,
                    image=binary.slot.image,
                    source=source,
                    target=target,
                    key=key,
                    version=version,
                )
            )
            return target.read_bytes()
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


def _settle(
    build: Build,
    binary: Binary,
    fresh: McubootImage,
    public: PublicKey | None,
    output: Path | None,
    force: bool,
) -> SignedImage:
    """Decide whether the image that is there stays, and where the fresh one goes if not."""
    number, slot = binary.slot.image, binary.slot.index
    folder = output if output is not None else build.path / "zephyr"
    target = folder / _FILE_NAMES[min(number, 1), slot]
    existing = [target] if target.is_file() else []
    if output is None and not existing:
        existing = [
            artifact.path
            for artifact in build.artifacts
            if artifact.kind is ArtifactKind.UPDATE_IMAGE
            and (artifact.image or 0, artifact.slot) == (number, slot)
        ]
    for path in () if force else existing:
        image = _current(path, fresh, public)
        if image is not None:
            return SignedImage(path, image, slot, number, kept=True)
    return SignedImage(target, fresh, slot, number, kept=False)


def _current(path: Path, fresh: McubootImage, public: PublicKey | None) -> McubootImage | None:
    """Return the image at `path` if it is the fresh one but for the signature's random bytes.

    An encrypted image is never the same, and nobody here can prove what is in it.
    """
    try:
        image = read(path)
        verify(image, path, public)
    except DfuBleError:
        return None
    same_content = hashed_region(image) == hashed_region(fresh)
    same_entries = [t.type for t in image.tlvs] == [t.type for t in fresh.tlvs]
    return image if same_content and same_entries and not image.is_encrypted else None
