# SPDX-License-Identifier: Apache-2.0
"""Sign a build's update images as its own build scripts would, and prove each one."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..builddir import ArtifactKind, Build, SignatureType, Slot
from ..diagnostics import DfuBleError
from ..faults import fault
from .arguments import parse_version, sign_arguments
from .bootloader_key import bootloader_has, embedded_key
from .capacity import require_fit
from .imgtool_adapter import AskPassphrase, Imgtool
from .inputs import Binary, binary_for, pads_header, require_different
from .keys import PublicKey, demo_key
from .model import McubootImage
from .packaging import package_files, package_path
from .parsing import parse, read
from .proof import prove
from .verification import hashed_region, verify
from .writing import write_all

_FILE_NAMES = ("app_update.bin", "mcuboot_secondary_app_update.bin")
# Entry header, hash, KEYHASH and the shortest signature, in bytes; ECDSA's length varies.
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
    ask: AskPassphrase | None = None,
) -> tuple[SignedImage, ...]:
    """Make the build's update images, one for each slot that needs its own.

    They become ``zephyr/app_update.bin`` and, in direct-xip, from the variant's own binary,
    ``zephyr/mcuboot_secondary_app_update.bin``, in the build directory or in the folder `output`.
    An image that is there already (by whatever name the build's own scripts gave it), was made
    from the present binary in the same way and verifies is kept, unless `force`. `package` makes
    the package too, see `package_path`.

    `version` and `key` default to the build's; `ask` gives the passphrase of a locked key.
    Nothing is written before every image was proved: signature, hash, slot and size.

    Raises `DfuBleError` IM301 to IM304 and IM306 to IM316; EN008 for a bad SOURCE_DATE_EPOCH.
    """
    if version is not None:
        parse_version(version)
    tool = Imgtool(ask)
    signing_key, public = require_key(build, tool, key)
    slots = _slots_to_sign(build)
    binaries = [binary_for(build, slot.index, slot.image) for slot in slots]
    if len(binaries) > 1:
        require_different(*binaries)
    fresh = []
    for slot, binary in zip(slots, binaries, strict=True):
        data = _sign(tool, build, slot, binary, signing_key, version)
        image = parse(data, binary.path)
        prove(image, binary.path, build, slot.index, key=public, image_number=slot.image)
        fresh.append((slot, image))
    signed = [_settle(build, slot, image, public, output, force) for slot, image in fresh]
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
    binary = Binary(build.path, bytes(padding) + payload, padding)
    return _sign(tool, build, place, binary, signing_key, version)


def require_key(
    build: Build, tool: Imgtool, key: Path | None
) -> tuple[Path | None, PublicKey | None]:
    """Return the private key file to sign with and its public half; both `None` to sign nothing.

    Raises `DfuBleError` IM301 if there is no such file, IM302 if it is no private key, IM303 if
    it is not the one that MCUboot was built with.
    """
    if build.signature_type is SignatureType.NONE:
        return None, None
    path = key
    if path is None:
        if build.key is None or build.key.path is None:
            if build.application.kconfig.is_on("CONFIG_MCUBOOT_GENERATE_UNSIGNED_IMAGE"):
                return None, None
            raise fault(
                "IM301",
                "the build names no signing key",
                location=build.application.kconfig.where("CONFIG_MCUBOOT_SIGNATURE_KEY_FILE"),
                helps=["name one with `--key`"],
            )
        path = build.key.path
        if not build.key.exists:
            raise fault(
                "IM301",
                f"the build's signing key `{build.key.setting}` is not on this machine",
                location=build.key.location,
                notes=[f"looked for {place}" for place in build.key.tried or (path,)],
                helps=["put the key there, or name it with `--key`"],
            )
    public = tool.public_key(path, private=True)
    _require_type(build, public, path)
    _require_same(build, tool, public, path)
    return path, public


def _require_type(build: Build, public: PublicKey, path: Path) -> None:
    expected = build.signature_type
    if expected is not None and public.type is not expected:
        raise fault(
            "IM303",
            f"the key is {public.type.value}, MCUboot is built for {expected.value}",
            location=path,
            helps=[f"sign with the {expected.value} key that MCUboot was built with"],
        )


def _require_same(build: Build, tool: Imgtool, public: PublicKey, path: Path) -> None:
    """Compare with the key in MCUboot itself, or else with the one that the build names."""
    if bootloader_has(build, public):
        return
    theirs = embedded_key(build)
    source = build.bootloader.directory if build.bootloader else None
    if theirs is None and build.key and build.key.path and build.key.exists:
        source = build.key.path
        theirs = public if source == path else tool.public_key(source)
    if theirs is None or theirs.der == public.der:
        return
    raise fault(
        "IM303",
        f"the key's hash is {_key_name(public)}, that of the bootloader's key {_key_name(theirs)}",
        why="MCUboot knows no other key than the one that it was built with: it would not run an "
        "image that is signed with another.",
        location=path,
        notes=[f"the bootloader's key was read from {source}"],
        helps=["sign with the bootloader's key, or build the bootloader with this key"],
        data={"keyhash": public.keyhash.hex(), "bootloader_keyhash": theirs.keyhash.hex()},
    )


def _slots_to_sign(build: Build) -> list[Slot]:
    direct_xip = build.mode is not None and build.mode.is_direct_xip
    number = build.application.number or 0
    slots = [build.slot(index, number) for index in ((0, 1) if direct_xip else (0,))]
    found = [slot for slot in slots if slot is not None]
    if len(found) < len(slots):
        raise fault(
            "IM315",
            "the build has not the slots that its bootloader mode needs",
            location=build.path,
            helps=["define both slots in the devicetree or in the partitions, and build again"],
        )
    return found


def _sign(
    tool: Imgtool,
    build: Build,
    slot: Slot,
    binary: Binary,
    key: Path | None,
    version: str | None,
) -> bytes:
    _require_probable_fit(build, slot, binary)
    try:
        with tempfile.TemporaryDirectory(prefix="dfu-ble-") as folder:
            source, target = Path(folder) / "to_sign.bin", Path(folder) / "signed.bin"
            source.write_bytes(binary.data)
            tool.sign(
                sign_arguments(
                    build,
                    slot.index,
                    image=slot.image,
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


def _require_probable_fit(build: Build, slot: Slot, binary: Binary) -> None:
    """Refuse what can't fit before imgtool does, which does not say what the limit is made of."""
    if build.application.kconfig.is_on("CONFIG_MCUBOOT_COMPRESSED_IMAGE_SUPPORT_ENABLED"):
        return
    header = build.header_size.value if build.header_size else 0
    signature = build.signature_type
    entries = 4 + 36
    if signature in _SIGNATURE_LENGTH:
        entries += 36 + 4 + _SIGNATURE_LENGTH[signature]
    require_fit(build, slot, header + len(binary.firmware) + entries, binary.path)


def _settle(
    build: Build,
    slot: Slot,
    fresh: McubootImage,
    public: PublicKey | None,
    output: Path | None,
    force: bool,
) -> SignedImage:
    """Decide whether the image that is there stays, and where the fresh one goes if not."""
    folder = output if output is not None else build.path / "zephyr"
    target = folder / _FILE_NAMES[slot.index]
    existing = [target] if target.is_file() else []
    if output is None and not existing:
        existing = [
            artifact.path
            for artifact in build.artifacts
            if artifact.kind is ArtifactKind.UPDATE_IMAGE
            and (artifact.image or 0, artifact.slot) == (slot.image, slot.index)
        ]
    for path in () if force else existing:
        image = _current(path, fresh, public)
        if image is not None:
            return SignedImage(path, image, slot.index, slot.image, kept=True)
    return SignedImage(target, fresh, slot.index, slot.image, kept=False)


def _current(path: Path, fresh: McubootImage, public: PublicKey | None) -> McubootImage | None:
    """Return the image at `path` if it is the fresh one but for the signature's random bytes."""
    try:
        image = read(path)
        verify(image, path, public)
    except DfuBleError:
        return None
    if image.is_encrypted:
        # The hash is over the plain firmware; the cipher text differs each time.
        same = image.digest == fresh.digest and image.flags == fresh.flags
    else:
        same = hashed_region(image) == hashed_region(fresh)
    same_entries = [t.type for t in image.tlvs] == [t.type for t in fresh.tlvs]
    return image if same and same_entries else None


def _key_name(key: PublicKey) -> str:
    demo = demo_key(key.keyhash)
    name = f" (the public demo key {demo})" if demo else ""
    return f"{key.keyhash.hex()[:16]}…{name}"
