# SPDX-License-Identifier: Apache-2.0
"""Ask for signatures: the bytes that an HSM or a signing service has to sign for a build."""

from __future__ import annotations

from pathlib import Path

from ..builddir import Build, SignatureType
from .detached import SigningRequest, require_public, signing_request
from .imgtool_adapter import Imgtool
from .inputs import binaries_to_sign
from .making import run_imgtool
from .signing_key import require_bootloader_key


def signing_requests(
    build: Build,
    public_key: Path,
    *,
    version: str | None = None,
    encrypt: Path | None = None,
) -> tuple[SigningRequest, ...]:
    """Return what an HSM or a signing service has to sign for this build, image by image.

    Nothing is written. Raises what `sign_build` raises.
    """
    tool = Imgtool()
    public = require_public(build, tool, public_key)
    require_bootloader_key(build, tool, public, public_key)
    options: tuple[str, ...] = ("--vector-to-sign", "payload")
    if public.type is SignatureType.ECDSA_P384:
        options += ("--sha", "384")  # which a key would tell imgtool
    requests = []
    for binary in binaries_to_sign(build):
        payload, arguments = run_imgtool(tool, build, binary, options, version, encrypt)
        slot = binary.slot
        requests.append(signing_request(slot.image, slot.index, payload, public, tuple(arguments)))
    return tuple(requests)
