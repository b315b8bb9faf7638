# SPDX-License-Identifier: Apache-2.0
"""What the rules about speed share: they speak only where the model sees a gain."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .edits import in_application
from .link_settings import TRANSPORTS, Gain
from .model import Context, Finding, Verdict, not_applicable, passed

REFERENCES = ("docs/speed.md",)
# The rule of MCUmgr's Bluetooth transport: without it there is nothing to be fast.
FOLLOWS = ("KC156",)


def transport_off(context: Context, image: Image) -> Verdict | None:
    """Return the word of a speed rule for an application without SMP over Bluetooth."""
    if not any(image.kconfig.is_on(name) for name in TRANSPORTS):
        return not_applicable("there is no SMP over Bluetooth in this application")
    return None


def judge(
    gain: Gain,
    message: str,
    symbol: str,
    image: Image,
    edit: str,
    *notes: Note,
    stranger: bool = False,
) -> Verdict:
    """Return a finding where the gain is worth it, else a pass that says how little it is.

    `stranger` marks a gain that only a client has that does not know the build.
    """
    if not gain.is_worth_it:
        return passed(f"more would save less than a twentieth: {gain.text}")
    return Finding(
        message=message,
        location=image.kconfig.where(symbol),
        notes=(Note(gain.text), *notes),
        helps=(in_application(edit),),
        data={
            "symbol": symbol,
            "actual": image.kconfig.text(symbol, "n"),
            "image_size": gain.size,
            "seconds": round(gain.before, 1),
            "seconds_after": round(gain.after, 1),
            **({"stranger": True} if stranger else {}),
        },
    )
