# SPDX-License-Identifier: Apache-2.0
"""Signatures made elsewhere: files to give away, and files to take back.

For each update image there is one file in a folder: ``app_update.bin.to_sign`` holds the bytes to
sign, ``app_update.bin.sig`` the signature in base64, as imgtool writes and reads it.
"""

from __future__ import annotations

import argparse
import base64
import binascii
from collections.abc import Sequence
from pathlib import Path

from .. import image
from ..builddir import Build
from ..diagnostics import DfuBleError
from ..faults import fault


def write_requests(args: argparse.Namespace, build: Build) -> list[str]:
    """Write what an HSM or a signing service has to sign; return one line for each file.

    Raises `DfuBleError` EN008 without a public key, and what `image.signing_requests` raises.
    """
    requests = image.signing_requests(
        build, _public_key(args), version=args.image_version, encrypt=args.encrypt
    )
    lines, files = [], {}
    for one in requests:
        path = _path(args.to_sign, one.image_number, one.slot, "to_sign")
        files[path] = one.data
        lines.append(f"{path}  {len(one.data)} bytes to sign with {one.algorithm}")
    image.write_all(files)
    return lines


def require_one_way(args: argparse.Namespace) -> None:
    """Refuse options that mean nothing together. Raises `DfuBleError` EN008."""
    if args.to_sign and args.fix_sig:
        raise fault(
            "EN008",
            "--to-sign and --fix-sig were given together",
            why="They are two steps: what has to be signed is written, then signatures are taken.",
            helps=["give --to-sign first, and --fix-sig once the signatures are there"],
        )
    if args.fix_sig_pubkey and not (args.to_sign or args.fix_sig):
        raise fault(
            "EN008",
            "--fix-sig-pubkey was given without --to-sign or --fix-sig",
            why="The build would be signed with its own key, and this one not looked at.",
            helps=["add --to-sign DIR or --fix-sig DIR", "or sign with another key: --key PEM"],
        )


def read_detached(args: argparse.Namespace) -> image.Detached | None:
    """Return the signatures of the folder that the arguments name, if they name one.

    Raises `DfuBleError` EN008 without a public key, IM307 if a file is no signature.
    """
    if args.fix_sig is None:
        return None
    signatures = {}
    for number, slot in image.UPDATE_FILE_NAMES:
        path = _path(args.fix_sig, number, slot, "sig")
        if path.is_file():
            signatures[number, slot] = _read(path)
    return image.Detached(_public_key(args), signatures)


def write_signatures(folder: Path, signed: Sequence[image.SignedImage]) -> None:
    """Write each image's signature. Raises `DfuBleError` IM307 if one has none, IM313."""
    files = {}
    for one in signed:
        try:
            signature = image.detached_signature(one.image)
        except ValueError as error:
            raise fault("IM307", str(error), location=one.path) from None
        path = _path(folder, one.image_number, one.slot, "sig")
        files[path] = base64.b64encode(signature)
    image.write_all(files)


def _read(path: Path) -> bytes:
    try:
        return base64.b64decode(path.read_bytes(), validate=False)
    except OSError as error:
        raise _no_signature(path, f"can't be read: {error.strerror}") from None
    except binascii.Error:
        raise _no_signature(path, "is no signature in base64") from None


def _no_signature(path: Path, what: str) -> DfuBleError:
    return fault("IM307", f"`{path.name}` {what}", location=path)


def _public_key(args: argparse.Namespace) -> Path:
    if args.fix_sig_pubkey is None:
        raise fault(
            "EN008",
            "no public key was named for the signatures made elsewhere",
            why="It becomes part of the image, and the signatures are checked with it.",
            helps=["name it with `--fix-sig-pubkey`"],
        )
    key: Path = args.fix_sig_pubkey
    return key


def _path(folder: Path, number: int, slot: int, suffix: str) -> Path:
    return folder / f"{image.UPDATE_FILE_NAMES[min(number, 1), slot]}.{suffix}"
