# SPDX-License-Identifier: Apache-2.0
"""Setting images to run next, and confirming those that run: each asked for and read back.

Both begin with what the device says and may be done again at any time. A request whose answer was
lost is settled by the image state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from ..diagnostics import DfuBleError
from ..faults import fault
from ..smp import Rc, Request, image_group
from .device import DeviceState
from .events import Listener, Remark
from .plan import ImagePlan, Plan
from .session import Refusal, Session
from .verdict import is_running, is_stored, is_waiting, require_running, running_image

Refresh = Callable[[], Awaitable[DeviceState]]

_ATTEMPTS = 3


async def activate(
    session: Session, plan: Plan, refresh: Refresh, listener: Listener
) -> Plan | None:
    """Set the plan's images to run after the next reset.

    Returns the plan to go on with (another one if the device has no such command), or `None` if an
    image is not in its slot any more. Raises `DfuBleError` and `LinkLost`.
    """
    for image in plan.images:
        try:
            if not await _activate_one(session, plan, image, refresh):
                return None
        except Refusal as refusal:
            device = await refresh()
            if refusal.error.is_rc(Rc.ENOTSUP) and device.mode is None:
                listener(
                    Remark("the device has no test command: its bootloader goes by the version")
                )
                return replace(plan, sets_state=False, confirms=False)
            raise
    return plan


async def _activate_one(session: Session, plan: Plan, image: ImagePlan, refresh: Refresh) -> bool:
    digest = image.candidate.image.digest
    request = image_group.activate(digest) if plan.permanent else image_group.test(digest)
    for _ in range(_ATTEMPTS):
        device = await refresh()
        if is_waiting(image, device) or is_running(image, device):
            return True
        if not is_stored(image, device):
            return False
        await _ask(session, request)
    if is_waiting(image, await refresh()):
        return True
    raise fault(
        "DV511",
        f"the device takes the request to run {image.candidate.path.name}, "
        "and does not list it as pending",
    )


async def confirm(session: Session, plan: Plan, refresh: Refresh) -> None:
    """Confirm the plan's images, which run.

    Raises `DfuBleError` DV506 or DV507 if they do not run (any more), and `LinkLost`.
    """
    for _ in range(_ATTEMPTS):
        on_trial = await _images_on_trial(plan, refresh)
        if not on_trial:
            return
        for image in on_trial:
            await _ask(session, _confirmation(image))
    if await _images_on_trial(plan, refresh):
        raise fault("DV511", "the device takes the confirmation, and the image stays on trial")


async def _images_on_trial(plan: Plan, refresh: Refresh) -> list[ImagePlan]:
    device = await refresh()
    require_running(plan, device)
    found = [(image, running_image(image, device)) for image in plan.images]
    return [image for image, held in found if held is not None and not held.confirmed]


def _confirmation(image: ImagePlan) -> Request:
    """Return the request that confirms an image which was just seen running.

    Without a hash it confirms the application that runs. With one it would activate the image for
    good if the device had just gone back, which only another core's image has to put up with.
    """
    if image.candidate.image_number == 0:
        return image_group.confirm()
    return image_group.activate(image.candidate.image.digest)


async def _ask(session: Session, request: Request) -> None:
    """Send a request; one that found the device busy or had no answer is not an error yet."""
    try:
        await session.request(request)
    except Refusal as refusal:
        if not refusal.error.is_rc(Rc.EBUSY):
            raise
    except DfuBleError as error:
        if error.diagnostic.code not in ("LK406", "DV511"):
            raise
