# SPDX-License-Identifier: Apache-2.0
"""`sign`: write the signed update images and the package, or keep them if they are up to date."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from .. import image
from ..builddir import Build
from ..diagnostics import ExitStatus
from ..report.console import Console
from ..report.diagnostic import render_diagnostic
from .locate import load_build
from .passphrase import ask_passphrase
from .signatures import read_detached, require_one_way, write_requests, write_signatures


def execute(args: argparse.Namespace, console: Console) -> ExitStatus:
    """Sign the build's update images and say what was made and what was kept."""
    require_one_way(args)
    build = load_build(args)
    for finding in image.build_script_findings(build):
        console.note(render_diagnostic(finding, colour=console.colour_err))
    if args.to_sign:
        console.result("\n".join(write_requests(args, build)))
        return ExitStatus.DONE
    signed = image.sign_build(
        build,
        force=args.force,
        version=args.image_version,
        key=args.key,
        output=args.output,
        package=args.package,
        baseline=baseline_of(args),
        detached=read_detached(args),
        encrypt=args.encrypt,
        ask=ask_passphrase,
    )
    if args.sig_out:
        write_signatures(args.sig_out, signed.images)
    if args.format == "json":
        import json

        console.result(json.dumps([as_dict(one, signed) for one in signed], indent=2))
    else:
        console.result("\n".join([*describe(signed), *describe_package(signed)]))
    return ExitStatus.DONE


def baseline_of(args: argparse.Namespace) -> image.ImageVersion | None:
    """Return the version that devices run now, if `--baseline` names an image of it."""
    if not args.baseline:
        return None
    from ..rules import baseline_version  # the rules take longer to import than to sign

    return baseline_version(args.baseline)


def sign_build(
    args: argparse.Namespace, build: Build, baseline: image.ImageVersion | None = None
) -> image.SignedBuild:
    """Sign as the arguments ask; every image that comes back was verified with the key."""
    return image.sign_build(
        build,
        force=args.force,
        version=args.image_version,
        key=args.key,
        baseline=baseline,
        ask=ask_passphrase,
    )


def describe(signed: image.SignedBuild) -> list[str]:
    """One line an image: file, version, hash, slot, and whether it was signed or kept."""
    rows = [
        (
            shorten(one.path),
            str(one.image.version),
            one.image.digest.hex()[:16],
            f"{f'image {one.image_number}, ' if one.image_number else ''}"
            f"{'secondary' if one.slot else 'primary'} slot",
            "kept, up to date" if one.kept else "signed",
        )
        for one in signed
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def describe_package(signed: image.SignedBuild) -> list[str]:
    """Name the package, and what every image was proved with."""
    state = "kept, up to date" if signed.package_kept else "written"
    key = signed.key
    proof = (
        f"{key.type.value} signature with MCUboot's key {key.keyhash.hex()[:16]}…"
        if key
        else "no signature, for none was asked for"
    )
    return [
        f"{shorten(signed.package)}  {state}",
        f"proved: hash, {proof}, slot, size",
    ]


def as_dict(one: image.SignedImage, signed: image.SignedBuild) -> dict[str, object]:
    """Return a signed image as JSON-ready values; `size` in bytes."""
    return {
        "path": str(one.path),
        "image": one.image_number,
        "slot": one.slot,
        "version": str(one.image.version),
        "hash": one.image.digest.hex(),
        "size": one.image.size,
        "kept": one.kept,
        "keyhash": signed.key.keyhash.hex() if signed.key else None,
        "package": str(signed.package),
    }


def shorten(path: Path) -> str:
    """Return the path relative to where the user is, if that is shorter."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive, on Windows
        return str(path)
    return min(relative, str(path), key=len)
