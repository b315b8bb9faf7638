# SPDX-License-Identifier: Apache-2.0
"""The private key to sign with: that it is there, and the one that the bootloader knows."""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, SignatureType
from ..faults import fault
from .bootloader_key import bootloader_has, embedded_key, named_key
from .imgtool_adapter import Imgtool
from .keys import PublicKey, demo_key


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
    require_bootloader_key(build, tool, public, path)
    return path, public


def require_bootloader_key(build: Build, tool: Imgtool, public: PublicKey, path: Path) -> None:
    """Raise `DfuBleError` IM303 if `public` is of another type, or another key, than MCUboot's."""
    _require_type(build, public, path)
    _require_same(build, tool, public, path)


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
    named = named_key(build)
    if theirs is None and named is not None:
        source = named
        theirs = public if named == path else tool.public_key(named)
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


def _key_name(key: PublicKey) -> str:
    demo = demo_key(key.keyhash)
    name = f" (the public demo key {demo})" if demo else ""
    return f"{key.keyhash.hex()[:16]}…{name}"
