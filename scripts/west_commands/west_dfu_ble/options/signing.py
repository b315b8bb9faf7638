# SPDX-License-Identifier: Apache-2.0
"""The options of `sign` alone: where the files go, encryption, signatures made elsewhere."""

from __future__ import annotations

from pathlib import Path

from .option import Option

SIGN_FILES = {
    "files": (
        Option(
            ("--output",),
            {
                "type": Path,
                "metavar": "DIR",
                "help": "write images and package there (default: into the build directory)",
            },
        ),
        Option(
            ("--package",),
            {
                "nargs": "?",
                "type": Path,
                "metavar": "ZIP",
                "help": "write the package to this file (default: dfu_application.zip beside "
                "the images, or where the build's own scripts put it)",
            },
        ),
    ),
    "encryption": (
        Option(
            ("--encrypt",),
            {
                "type": Path,
                "metavar": "KEY",
                "help": "encrypt the images with this key: a public key (PEM), or for AES-KW the "
                "secret that the device has too, 16 or 32 bytes in base64 (default: the build's, "
                "if it has one)",
            },
        ),
    ),
    "signatures made elsewhere": (
        Option(
            ("--to-sign",),
            {
                "type": Path,
                "metavar": "DIR",
                "help": "write there what an HSM or a signing service has to sign, and nothing "
                "else",
            },
        ),
        Option(
            ("--fix-sig",),
            {
                "type": Path,
                "metavar": "DIR",
                "help": "take the signatures from there (base64, app_update.bin.sig); no private "
                "key is needed",
            },
        ),
        Option(
            ("--fix-sig-pubkey",),
            {
                "type": Path,
                "metavar": "PEM",
                "help": "the public key of those signatures",
            },
        ),
        Option(
            ("--sig-out",),
            {
                "type": Path,
                "metavar": "DIR",
                "help": "write each image's signature there too, for `--fix-sig` on another "
                "machine",
            },
        ),
    ),
}
