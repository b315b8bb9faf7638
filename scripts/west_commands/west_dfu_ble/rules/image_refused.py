# SPDX-License-Identifier: Apache-2.0
"""IM355: the update images that are there would be accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..builddir import Build, Image
from ..diagnostics import DfuBleError, Diagnostic
from .built_files import finding_from, public_key_der, update_images
from .model import (
    Category,
    Context,
    Finding,
    Rule,
    RuleDoc,
    Verdict,
    not_applicable,
    passed,
)

if TYPE_CHECKING:
    from ..image import PublicKey

DOC = RuleDoc(
    code="IM355",
    name="update-image-refused",
    category=Category.BROKEN,
    summary="MCUboot would refuse an update image that is in the build directory",
    checks=(
        "Every update image that the build holds: it is an MCUboot image, its content has the hash "
        "that it says, it is signed with the key that MCUboot was built with "
        "(`autogen-pubkey.c` of MCUboot's build folder), and the signature is valid."
    ),
    why="The device takes the upload, and MCUboot throws it away at the next reset.",
    fix="Sign again: `west dfu-ble sign`, or build again.",
    bad="imgtool sign --key another.pem …",
    good="imgtool sign --key the-key-of-the-bootloader.pem …",
    applies="builds that hold an update image",
    references=(
        "mcuboot boot/bootutil/src/image_validate.c",
        "mcuboot boot/bootutil/include/bootutil/image.h",
    ),
    known_problems="Without MCUboot's public key only content and hash are compared.",
)


def check(context: Context, image: Image) -> Verdict:
    """Verify each of them as MCUboot does."""
    build = context.build
    # The network core's own bootloader has the last word on what is not image 0.
    images = [(a, read) for a, read in update_images(build) if not a.image]
    if not images:
        return not_applicable("the build holds no update image yet")
    from ..image import verify

    key = _public_key(build)
    for artifact, read in images:
        problem = read if isinstance(read, Diagnostic) else None
        if not isinstance(read, Diagnostic):
            try:
                verify(read, artifact.path, key)
            except DfuBleError as error:
                problem = error.diagnostic
        if problem is not None:
            return _finding(problem, artifact.path.name)
    text = f"{len(images)} update image{'s' if len(images) > 1 else ''}"
    return passed(f"{text}, {'verified with' if key else 'without'} MCUboot's public key")


def _finding(problem: Diagnostic, name: str) -> Finding:
    message = problem.message[:1].lower() + problem.message[1:]
    return finding_from(problem, f"`{name}`: {message}")


def _public_key(build: Build) -> PublicKey | None:
    der = public_key_der(build)
    if der is None:
        return None
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    from ..image.keys import public_key_of

    try:
        return public_key_of(load_der_public_key(der))
    except (ValueError, UnsupportedAlgorithm):
        return None


RULE = Rule(DOC, check, roles=())
