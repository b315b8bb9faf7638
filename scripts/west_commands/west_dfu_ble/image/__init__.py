# SPDX-License-Identifier: Apache-2.0
"""MCUboot images: read them, prove them, sign them as the SDK's own build would.

Nothing here knows Bluetooth. imgtool and cryptography are imported when they are needed.
"""

from __future__ import annotations

from .arguments import sign_arguments
from .bootloader_key import build_key
from .build_script import Recorded, build_script_findings, recorded_commands
from .capacity import Capacity, capacity, require_fit
from .decryption import require_decryptable
from .detached import Detached, SigningRequest, detached_signature
from .imgtool_adapter import AskPassphrase, public_key
from .inputs import binary_for
from .inspection import Finding, Inspection, flag_names, inspect
from .inspection import as_dict as inspection_as_dict
from .keys import PublicKey, demo_key
from .model import ImageVersion, McubootImage, Tlv
from .package import Package, PackageEntry, read_package
from .packaging import package_files, package_path
from .parsing import parse, read
from .passphrase import passphrase_from_environment
from .proof import prove, require_place
from .requests import signing_requests
from .signing import SignedBuild, SignedImage, sign_build, sign_payload
from .signing_names import UPDATE_FILE_NAMES
from .tlv import SIGNATURES, WRAPPED_KEYS, TlvType
from .tlv import name as tlv_name
from .verification import verify
from .version import parse_version
from .writing import write_all

__all__ = [
    "SIGNATURES",
    "UPDATE_FILE_NAMES",
    "WRAPPED_KEYS",
    "AskPassphrase",
    "Capacity",
    "Detached",
    "Finding",
    "ImageVersion",
    "Inspection",
    "McubootImage",
    "Package",
    "PackageEntry",
    "PublicKey",
    "Recorded",
    "SignedBuild",
    "SignedImage",
    "SigningRequest",
    "Tlv",
    "TlvType",
    "binary_for",
    "build_key",
    "build_script_findings",
    "capacity",
    "demo_key",
    "detached_signature",
    "flag_names",
    "inspect",
    "inspection_as_dict",
    "package_files",
    "package_path",
    "parse",
    "parse_version",
    "passphrase_from_environment",
    "prove",
    "public_key",
    "read",
    "read_package",
    "recorded_commands",
    "require_decryptable",
    "require_fit",
    "require_place",
    "sign_arguments",
    "sign_build",
    "sign_payload",
    "signing_requests",
    "tlv_name",
    "verify",
    "write_all",
]
