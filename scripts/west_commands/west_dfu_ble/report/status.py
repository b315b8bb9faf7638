# SPDX-License-Identifier: Apache-2.0
"""A device's state as a table for people and as values for machines."""

from __future__ import annotations

from ..update import DeviceState, ImageSlot


def state_table(state: DeviceState) -> str:
    """Return the images a line each, then what the device tells of itself."""
    rows = [("image", "slot", "version", "hash", "flags")]
    rows += [
        (str(i.image), str(i.slot), i.version or "-", i.hash.hex()[:16] or "-", _flags(i))
        for i in state.images
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    mode = state.mode.title if state.mode else "not told"
    lines += [
        "",
        f"mode        {mode}" + ("" if state.mode_is_told else ", not told by the device"),
    ]
    if state.bootloader:
        lines.append(f"bootloader  {state.bootloader.name}")
    if state.parameters:
        buffers = state.parameters
        lines.append(f"buffers     {buffers.buffer_count} of {buffers.buffer_size} bytes")
    else:
        lines.append("buffers     not told")
    for slot in state.slots:
        size = "size not told" if slot.size is None else f"{slot.size} bytes"
        lines.append(f"slot        image {slot.image} slot {slot.slot}: {size}")
    return "\n".join(lines)


def _flags(image: ImageSlot) -> str:
    names = ("active", "confirmed", "pending", "permanent", "bootable")
    return " ".join(name for name in names if getattr(image, name)) or "-"


def images_as_dict(state: DeviceState | None) -> dict[str, object]:
    """Return the images, which one runs and which one will, as JSON-ready values.

    All are `None` for a device that was never reached; `current` is false for one that may have
    changed since.
    """
    if state is None:
        return dict.fromkeys(("images", "running", "next", "on_trial", "current"))
    running, following = state.running, state.next
    return {
        "images": [_image(one) for one in state.images],
        "running": running and _image(running),
        "next": following and _image(following),
        "on_trial": running and state.is_on_trial(running),
        "current": state.is_current,
    }


def _image(image: ImageSlot) -> dict[str, object]:
    return {
        "image": image.image,
        "slot": image.slot,
        "version": image.version,
        "hash": image.hash.hex(),
        "active": image.active,
        "confirmed": image.confirmed,
        "pending": image.pending,
        "permanent": image.permanent,
        "bootable": image.bootable,
    }


def state_as_dict(state: DeviceState) -> dict[str, object]:
    """Return the state as JSON-ready values; sizes in bytes, hashes in hexadecimal."""
    parameters = state.parameters
    return {
        **images_as_dict(state),
        "mode": state.mode.title if state.mode else None,
        "mode_told_by_device": state.mode_is_told,
        "bootloader": state.bootloader.name if state.bootloader else None,
        "buffer_size": parameters.buffer_size if parameters else None,
        "buffer_count": parameters.buffer_count if parameters else None,
        "slots": [
            {"image": s.image, "slot": s.slot, "size": s.size, "max_image_size": s.max_image_size}
            for s in state.slots
        ],
        "device": state.sentence(),
    }
