# SPDX-License-Identifier: Apache-2.0
"""Sign a build's update images as its own build scripts would, and prove each one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..builddir import ArtifactKind, Build
from ..diagnostics import DfuBleError
from ..faults import fault
from .decryption import require_same_firmware
from .detached import Detached, require_public
from .imgtool_adapter import AskPassphrase, Imgtool
from .inputs import Binary, binaries_to_sign, pads_header
from .keys import PublicKey
from .making import make_image
from .model import ImageVersion, McubootImage
from .packaging import package_files, package_path
from .parsing import parse, read
from .proof import prove
from .signing_key import require_bootloader_key, require_key
from .signing_names import UPDATE_FILE_NAMES
from .verification import hashed_region, verify
from .version import parse_version
from .writing import write_all


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


@dataclass(frozen=True)
class SignedBuild:
    """What signing left behind: the update images, in order, and the package that holds them.

    `key` is the one that each image was proved with, `None` if MCUboot checks no signature or the
    build makes unsigned images. `package_kept` says that the package was there and was not touched.
    """

    images: tuple[SignedImage, ...]
    package: Path
    package_kept: bool
    key: PublicKey | None

    def __iter__(self) -> Iterator[SignedImage]:
        """Go through the images."""
        return iter(self.images)

    def __len__(self) -> int:
        """Return how many images there are."""
        return len(self.images)

    def __getitem__(self, number: int) -> SignedImage:
        """Return one of the images."""
        return self.images[number]


def sign_build(
    build: Build,
    *,
    force: bool = False,
    version: str | None = None,
    key: Path | None = None,
    output: Path | None = None,
    package: Path | None = None,
    baseline: ImageVersion | None = None,
    detached: Detached | None = None,
    encrypt: Path | None = None,
    ask: AskPassphrase | None = None,
) -> SignedBuild:
    """Make the build's update images, one for each slot that needs its own.

    They become ``zephyr/app_update.bin`` and, in direct-xip, from the variant's own binary,
    ``zephyr/mcuboot_secondary_app_update.bin``, in the build directory or in the folder `output`;
    a network core that MCUboot updates too gets ``zephyr/net_core_app_update.bin``. An image that
    is there already (by whatever name the build's own scripts gave it), was made from the present
    binary in the same way and verifies is kept, unless `force`. The package is written
    to `package`, by default to `package_path`.

    `version` and `key` default to the build's; `detached` has signatures that were made elsewhere,
    and then no private key is needed (see `signing_requests`). `encrypt` is a key to encrypt images
    with (default: the build's, if it has one): a public key, or for AES-KW the shared secret.
    `ask` gives the passphrase of a locked key. The application's version must be higher than
    `baseline`, if that is given. Nothing is written before every image was proved: signature,
    hash, slot, size and version.

    Raises `DfuBleError` IM301 to IM319 but IM305 and IM318; EN008 for a bad SOURCE_DATE_EPOCH.
    """
    if version is not None:
        parse_version(version)
    tool = Imgtool(ask)
    signer, public = _signer(build, tool, key, detached)
    signed = []
    for binary in binaries_to_sign(build):
        slot = binary.slot
        image = parse(make_image(tool, build, binary, signer, version, encrypt), binary.path)
        if image.is_encrypted:
            require_same_firmware(image, binary)
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
    images = {(one.image_number, one.slot): one.image for one in signed}
    package = package or package_path(build, output)
    packaged = package_files(build, images, package)
    write_all({**files, **packaged})
    return SignedBuild(tuple(signed), package, not packaged, public)


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
    return make_image(tool, build, binary, signing_key, version)


def _signer(
    build: Build, tool: Imgtool, key: Path | None, detached: Detached | None
) -> tuple[Path | Detached | None, PublicKey | None]:
    if detached is None:
        return require_key(build, tool, key)
    public = require_public(build, tool, detached.public_key)
    require_bootloader_key(build, tool, public, detached.public_key)
    return detached, public


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
    target = folder / UPDATE_FILE_NAMES[min(number, 1), slot]
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
