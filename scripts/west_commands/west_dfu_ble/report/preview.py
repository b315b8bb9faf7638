# SPDX-License-Identifier: Apache-2.0
"""What an update would do, as text and for programs."""

from __future__ import annotations

from ..update import ImagePlan, Plan, Preview


def describe_preview(preview: Preview) -> str:
    """Return the steps of the plan, the frame, the window and the expected time, a line each."""
    lines = [_image(image) for image in preview.plan.images]
    lines += [f"warning: {warning}" for warning in preview.plan.warnings]
    lines += [f"  {step}" for step in _steps(preview.plan)]
    if preview.requests:
        lines.append(
            f"{preview.total / 1000:.1f} kB in {preview.requests} requests, frames of up to "
            f"{preview.frame.size} bytes, {preview.width} in flight: {_time(preview.seconds)}"
        )
    lines.append("nothing was written to the device")
    return "\n".join(lines)


def preview_as_dict(preview: Preview) -> dict[str, object]:
    """Return the plan as JSON-ready values; bytes and seconds."""
    plan = preview.plan
    return {
        "event": "plan",
        "images": [
            {
                "file": image.candidate.path.name,
                "version": str(image.candidate.image.version),
                "hash": image.candidate.image.digest.hex() if image.candidate.image.digest else "",
                "image": image.candidate.image_number,
                "slot": image.target,
                "upload": image.upload,
                "erase": image.erase,
                "runs_already": image.is_running,
            }
            for image in plan.images
        ],
        "steps": _steps(plan),
        "warnings": list(plan.warnings),
        "bytes": preview.total,
        "requests": preview.requests,
        "frame": preview.frame.size,
        "in_flight": preview.width,
        "seconds": preview.seconds and round(preview.seconds, 3),
    }


def _image(image: ImagePlan) -> str:
    name = f"{image.candidate.path.name} ({image.candidate.image.version})"
    where = f"image {image.candidate.image_number} slot {image.target}"
    if image.is_running:
        return f"{name} runs already"
    if not image.upload:
        return f"{name} is in {where} already"
    return f"would upload {name} to {where}" + (", erased first" if image.erase else "")


def _steps(plan: Plan) -> list[str]:
    steps = []
    if plan.sets_state:
        steps.append("set it to run for good" if plan.permanent else "set it to run on trial")
    if plan.resets:
        steps.append("reset, wait for the device, verify the hash of what it runs")
    if plan.confirms:
        steps.append("confirm it")
    return steps


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "the device answers no echo, so there is no estimate of the time"
    return f"about {max(seconds, 0.1):.1f} s, and what erasing and writing flash takes"
