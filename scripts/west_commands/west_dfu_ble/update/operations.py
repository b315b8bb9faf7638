# SPDX-License-Identifier: Apache-2.0
"""The single steps, each with its proof: status, test, confirm, erase, reset, echo.

Each connects, does one thing, reads back what it did, and closes the link. All raise
`DfuBleError`: LK4xx when the device can't be reached, DV5xx when it refuses or does not do it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from ..diagnostics import DfuBleError
from ..faults import fault
from ..link import Link, LinkLost
from ..smp import (
    ImageSlot,
    McumgrParameters,
    Rc,
    Request,
    image_group,
    os_group,
)
from .connection import Connection
from .device import DeviceState, read_device, read_images, read_parameters
from .events import Listener
from .frame_size import DEFAULT_BUFFER, FrameSizes
from .lock import lock_device
from .model import Knowledge, UpdateOptions
from .session import Refusal, Session
from .upload import empty_slot


async def read_status(
    link: Link, knowledge: Knowledge, options: UpdateOptions, listener: Listener
) -> DeviceState:
    """Read all that the device tells of itself."""
    async with _connected(link, options, listener) as connection:
        return await connection.through(lambda: read_device(connection.session, knowledge))


async def activate_image(
    link: Link,
    knowledge: Knowledge,
    options: UpdateOptions,
    listener: Listener,
    digest: bytes | None = None,
    *,
    permanent: bool = False,
) -> DeviceState:
    """Set an image to run after the next reset, once or `permanent`ly.

    `digest` is its hash, or the beginning of it; without one it is the image that does not run,
    of which there must be exactly one.
    """
    async with _connected(link, options, listener, alone=True) as connection:
        session = connection.session

        async def step() -> DeviceState:
            device = await read_device(session, knowledge)
            image = _find(device, digest)
            make = image_group.activate if permanent else image_group.test
            await _send(session, make(image.hash))
            device = await _read_again(session, device)
            held = device.images.at(image.slot, image.image)
            if held is None or not held.pending:
                raise fault("DV511", "the device takes the request, and does not list it as set")
            return device

        return await connection.through(step)


async def confirm_running(
    link: Link, knowledge: Knowledge, options: UpdateOptions, listener: Listener
) -> DeviceState:
    """Confirm the image that runs."""
    async with _connected(link, options, listener, alone=True) as connection:
        session = connection.session

        async def step() -> DeviceState:
            device = await read_device(session, knowledge)
            if device.running is None or not device.running.confirmed:
                await _send(session, image_group.confirm())
                device = await _read_again(session, device)
            if device.running is None or not device.running.confirmed:
                raise fault("DV511", "the device takes the confirmation, and stays on trial")
            return device

        return await connection.through(step)


async def erase_slot(
    link: Link,
    knowledge: Knowledge,
    options: UpdateOptions,
    listener: Listener,
    slot: int | None = None,
    image: int = 0,
) -> DeviceState:
    """Empty a slot; without a number the one that nothing runs from."""
    async with _connected(link, options, listener, alone=True) as connection:
        session = connection.session

        async def step() -> DeviceState:
            device = await read_device(session, knowledge)
            running = device.images.active(image)
            free = 1 - running.slot if running is not None else 1
            index = free if slot is None else slot
            await empty_slot(session, image, index, timeout=options.patience.first, attempts=2)
            device = await _read_again(session, device)
            if device.images.at(index, image) is not None:
                raise fault("DV511", f"the device takes the erase, and slot {index} is not empty")
            return device

        return await connection.through(step)


async def reset_device(
    link: Link, knowledge: Knowledge, options: UpdateOptions, listener: Listener
) -> DeviceState:
    """Reboot the device, wait until it is back, and return what it runs then."""
    async with _connected(link, options, listener, alone=True) as connection:
        session = connection.session
        device = await connection.through(lambda: read_device(session, knowledge))
        for _ in range(_RESET_ATTEMPTS):
            with contextlib.suppress(LinkLost):
                await _send(session, os_group.reset(), attempts=1)
            if await connection.wait_gone():
                break
            await connection.connect()
        else:
            raise fault("DV507", f"the device was asked {_RESET_ATTEMPTS} times and did not reset")
        timeout = options.reboot_timeout or 2 * options.timeout
        return await connection.wait_back(lambda: _read_again(session, device), timeout)


async def usable_buffers(
    link: Link, options: UpdateOptions, listener: Listener, frame_size: int | None = None
) -> McumgrParameters:
    """Ask for the server's buffers, as far as this link can fill them.

    `buffer_size` is the longest frame in bytes that reaches the server, tried with an echo where
    the link is in doubt and `frame_size`, the most that it carries, is not known. A server that
    does not tell has Zephyr's default size, and a count of 0.
    """
    async with _connected(link, options, listener) as connection:
        session = connection.session

        async def step() -> McumgrParameters:
            told = await read_parameters(session)
            if frame_size is None:
                size = (await FrameSizes(Knowledge()).find(session, told)).size
            else:
                buffer = told.buffer_size if told else DEFAULT_BUFFER
                size = min(frame_size, buffer - link.traits.buffer_overhead)
            return McumgrParameters(size, told.buffer_count if told else 0)

        return await connection.through(step)


async def echo(link: Link, options: UpdateOptions, listener: Listener, text: str) -> str:
    """Send a text to the device and return what comes back."""
    async with _connected(link, options, listener) as connection:
        payload = await connection.through(
            lambda: connection.session.request(os_group.echo(text), attempts=2)
        )
        return os_group.parse_echo(payload)


_RESET_ATTEMPTS = 3


@contextlib.asynccontextmanager
async def _connected(
    link: Link, options: UpdateOptions, listener: Listener, *, alone: bool = False
) -> AsyncIterator[Connection]:
    """Connect; with `alone` no other run may be at an update of the device meanwhile (LK410)."""
    connection, lock = Connection(Session(link, options.request_timeout), options, listener), None
    try:
        await connection.connect()
        if alone:
            lock = lock_device(link.traits, listener)
        yield connection
    finally:
        await connection.session.close()
        if lock is not None:
            lock.release()


async def _send(session: Session, request: Request, attempts: int = 2) -> None:
    """Send what may be lost on its way: whether it was done is read back afterwards."""
    try:
        await session.request(request, attempts=attempts)
    except Refusal as refusal:
        if refusal.error.is_rc(Rc.ENOTSUP):
            is_reset = request.group == os_group.reset().group
            raise fault(
                "DV513",
                f"the device has no command to {request.name}",
                why="Its firmware or its bootloader's mode comes without it.",
                helps=[
                    "a reset needs CONFIG_MCUMGR_GRP_OS=y and CONFIG_REBOOT=y in the firmware"
                    if is_reset
                    else "in direct-xip without revert, and where MCUboot loads images into RAM, "
                    "nothing is set: it runs the higher version after a reset"
                ],
            ) from refusal
        raise
    except DfuBleError as error:
        if error.diagnostic.code not in ("LK406", "DV511"):
            raise


async def _read_again(session: Session, device: DeviceState) -> DeviceState:
    return replace(device, images=await read_images(session), is_current=True)


def _find(device: DeviceState, digest: bytes | None) -> ImageSlot:
    images = [i for i in device.images if i.hash and not i.active]
    if digest:
        images = [i for i in device.images if i.hash.startswith(digest)]
    if len(images) == 1:
        return images[0]
    count = f"{len(images)} images" if images else "no image"
    which = f"whose hash begins with {digest.hex()}" if digest else "besides the one that runs"
    raise fault(
        "DV507",
        f"the device holds {count} {which}",
        why="It must be clear which image to set.",
        notes=[f"slot {i.slot}: {i.version}, hash {i.hash.hex()}" for i in device.images],
        helps=["name the image by the beginning of its hash"]
        if images
        else ["upload it first: dfu-ble upload --no-activate"],
    )
