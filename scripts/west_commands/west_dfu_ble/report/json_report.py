# SPDX-License-Identifier: Apache-2.0
"""The report for machines; `schemas/report.json` is its JSON Schema.

The form only grows: a key is never renamed or taken away without a new `schema_version`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .. import __version__
from ..builddir import Artifact, Build, Figure, FlashRegion, Image, ModeFact, Slot
from ..diagnostics import Diagnostic, Location
from ..rules import CheckReport, Outcome, UploadEstimate

SCHEMA_VERSION = 1


def render(report: CheckReport, *, colour: bool, cwd: Path) -> str:
    """Return the report as one JSON object; it has no colour, and paths as the build has them."""
    return json.dumps(as_dict(report), indent=2)


def as_dict(report: CheckReport) -> dict[str, Any]:
    """Return the report as JSON-ready values; sizes in bytes, addresses as numbers."""
    summary = report.summary
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "dfu-ble", "version": __version__},
        "build": _build(report.build),
        "profile": {"name": report.profile.name, "reason": report.profile.reason},
        "generation": report.generation.value if report.generation else None,
        "release": report.options.release,
        "summary": {
            "rules": summary.rules,
            "passed": summary.passed,
            "errors": summary.errors,
            "warnings": summary.warnings,
            "infos": summary.infos,
            "waived": summary.waived,
            "not_applicable": summary.not_applicable,
            "unknown": summary.unknown,
        },
        "upload": _upload(report.upload),
        "exit_status": int(report.exit_status),
        "outcomes": [_outcome(outcome) for outcome in report.outcomes],
    }


def _upload(estimate: UploadEstimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {
        "size": estimate.size,
        "nominal": estimate.nominal,
        "seconds": estimate.seconds,
        "gains": [{"code": code, "seconds": seconds} for code, seconds in estimate.gains],
    }


def _build(build: Build) -> dict[str, Any]:
    return {
        "path": str(build.path),
        "layout": build.layout.name,
        "board": build.board,
        "zephyr_version": build.zephyr_version,
        "ncs_version": build.ncs_version,
        "mode": build.mode.name if build.mode else None,
        "mode_built": _mode(build.mode_built),
        "mode_believed": _mode(build.mode_believed),
        "signature_type": build.signature_type.value if build.signature_type else None,
        "key": (
            {
                "setting": build.key.setting,
                "path": str(build.key.path) if build.key.path else None,
                "exists": build.key.exists,
                "location": _location(build.key.location),
            }
            if build.key
            else None
        ),
        "version": build.version,
        "header_size": _figure(build.header_size),
        "write_block": _figure(build.write_block),
        "images": [_image(image) for image in build.images],
        "slots": [_slot(slot) for slot in build.slots],
        "flash": [_region(region) for region in build.flash],
        "artifacts": [_artifact(artifact) for artifact in build.artifacts],
    }


def _image(image: Image) -> dict[str, Any]:
    return {
        "name": image.name,
        "role": image.role.value,
        "number": image.number,
        "directory": str(image.directory),
        "symbols": len(image.kconfig),
    }


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "image": slot.image,
        "index": slot.index,
        "name": slot.name,
        "region": slot.region,
        "address": _figure(slot.address),
        "size": _figure(slot.size),
    }


def _region(region: FlashRegion) -> dict[str, Any]:
    return {
        "name": region.name,
        "address": region.address,
        "size": region.size,
        "erase_block": region.erase_block,
        "write_block": region.write_block,
        "location": _location(region.location),
    }


def _artifact(artifact: Artifact) -> dict[str, Any]:
    return {
        "kind": artifact.kind.value,
        "path": str(artifact.path),
        "image": artifact.image,
        "slot": artifact.slot,
    }


def _mode(fact: ModeFact | None) -> dict[str, Any] | None:
    return {"mode": fact.mode.name, "location": _location(fact.location)} if fact else None


def _figure(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    return {"value": figure.value, "location": _location(figure.location)}


def _location(location: Location | None) -> dict[str, Any] | None:
    return {"path": str(location.path), "line": location.line} if location else None


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "code": outcome.code,
        "name": outcome.name,
        "image": outcome.image,
        "status": outcome.status.value,
        "reason": outcome.reason,
        "waived": outcome.waived,
        "diagnostic": outcome.diagnostic and _diagnostic(outcome.diagnostic),
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "name": diagnostic.name,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "why": diagnostic.why,
        "location": _location(diagnostic.location),
        "notes": [
            {"text": note.text, "location": _location(note.location)} for note in diagnostic.notes
        ],
        "helps": [
            {"text": one.text, "edit": one.edit, "file": one.file, "safe": one.safe}
            for one in diagnostic.helps
        ],
        "data": dict(diagnostic.data),
    }


def combine(texts: list[str]) -> str:
    """Return the reports of several builds: a JSON array."""
    return "".join(stream(texts))


def stream(texts: Iterable[str]) -> Iterator[str]:
    """Yield that array in pieces."""
    yield "["
    for number, text in enumerate(texts):
        yield f",\n{text}" if number else f"\n{text}"
    yield "\n]"


def render_error(path: Path, diagnostic: Diagnostic) -> str:
    """Return what stands in the array for a build that could not be read."""
    return json.dumps({"build": {"path": str(path)}, "error": _diagnostic(diagnostic)}, indent=2)
