# SPDX-License-Identifier: Apache-2.0
"""How the updates of several devices ended: a table, JSON lines, a JUnit suite.

Imported by its users themselves: what `check` needs stays free of the update.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from ..diagnostics import ExitStatus
from ..update import DeviceResult
from .diagnostic import render_diagnostic
from .junit import document
from .status import images_as_dict
from .words import clean

VERDICTS = ("done", "failed", "interrupted", "not begun")


def verdict(result: DeviceResult) -> str:
    """Which of `VERDICTS` says how it ended."""
    if not result.has_begun:
        return VERDICTS[3]
    return {ExitStatus.DONE: VERDICTS[0], ExitStatus.INTERRUPTED: VERDICTS[2]}.get(
        result.status, VERDICTS[1]
    )


def reason(result: DeviceResult) -> str:
    """Why it failed, in one line; empty if it did not."""
    if result.error is not None:
        return f"{result.error.code} {result.error.message}"
    return f"a bug in dfu-ble: {result.bug!r}" if result.bug is not None else ""


def device_table(results: Sequence[DeviceResult]) -> str:
    """Return a line a device, with what it runs and will run next, and the counts."""
    width = max((len(result.device) for result in results), default=0)
    lines = []
    for result in results:
        text = "; ".join(filter(None, (reason(result), result.sentence)))
        seconds = f"{result.seconds:.1f} s"
        lines.append(f"{result.device:<{width}}  {verdict(result):<11}  {seconds:>8}  {text}")
    words = [verdict(result) for result in results]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(sorted(words)))
    return "\n".join([*lines, f"{_number(len(results))}: {counts}"])


def result_as_dict(result: DeviceResult) -> dict[str, object]:
    """Return the verdict on one device as JSON-ready values; seconds with their milliseconds."""
    return {
        "event": "verdict",
        "device": result.device,
        "status": int(result.status),
        "verdict": verdict(result),
        "error": result.error.code if result.error else None,
        "message": reason(result) or None,
        "state": result.sentence,
        "seconds": round(result.seconds, 3),
        **images_as_dict(result.state),
    }


def render_json(results: Sequence[DeviceResult]) -> str:
    """Return the verdicts as JSON lines."""
    return "\n".join(json.dumps(result_as_dict(result)) for result in results)


def render_junit(results: Sequence[DeviceResult]) -> str:
    """Return one suite with a case for each device.

    A device that refused, or is not in the state asked for, is a failure; one that could not be
    reached, or was interrupted, an error; one whose turn never came is skipped.
    """
    suite = ET.Element("testsuite", name="devices")
    for result in results:
        case = ET.SubElement(
            suite,
            "testcase",
            classname="dfu-ble.devices",
            name=clean(result.device),
            time=f"{result.seconds:.3f}",
        )
        _tell(case, result)
        ET.SubElement(case, "system-out").text = clean(result.sentence)
    return document([suite])


def _tell(case: ET.Element, result: DeviceResult) -> None:
    if result.status is ExitStatus.DONE:
        return
    if not result.has_begun:
        tag = "skipped"
    else:
        tag = "failure" if result.status is ExitStatus.DEVICE else "error"
    element = ET.SubElement(case, tag, message=clean(reason(result) or verdict(result)))
    if tag != "skipped":
        element.set("type", result.error.name if result.error else verdict(result))
    if result.error is not None:
        element.text = clean(render_diagnostic(result.error, colour=False))


def _number(count: int) -> str:
    return f"{count} device" if count == 1 else f"{count} devices"
