# SPDX-License-Identifier: Apache-2.0
"""The build's facts as names and texts, as the formats for machines give them beside outcomes."""

from __future__ import annotations

from ..rules import CheckReport


def build_facts(report: CheckReport) -> dict[str, str]:
    """Return what is known of the build, and how it was checked; what is not known is left out."""
    build = report.build
    facts = {
        "board": build.board,
        "layout": build.layout.value,
        "ncs_version": build.ncs_version,
        "zephyr_version": build.zephyr_version,
        "bootloader_mode": build.mode.title if build.mode else None,
        "signature_type": build.signature_type.value if build.signature_type else None,
        "image_version": build.version,
        "profile": report.profile.name,
        "release": "true" if report.options.release else "false",
        "fail_on": report.options.fail_on.value,
    }
    return {name: text for name, text in facts.items() if text}
