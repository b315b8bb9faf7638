# SPDX-License-Identifier: Apache-2.0
"""The update of a device: plan, upload, activate, reboot, verify, confirm.

`Update` does it over any `Link` with the images on offer and what the build knows of the device,
`SeveralUpdates` on several devices at once; `operations` holds the single steps. All failures are
`DfuBleError`; what happens on the way is told to a `Listener`, and `Update.state` is what is known
of the device at any moment.
"""

from ..smp import ImageSlot
from .candidates import candidates_from_build, candidates_from_signed
from .device import DeviceState
from .events import (
    Event,
    Listener,
    Phase,
    PhaseDone,
    PhaseStarted,
    Remark,
    UploadProgress,
)
from .knowledge import knowledge_from_build
from .machine import Outcome, Update
from .model import ActivateMode, Candidate, Knowledge, UpdateOptions
from .plan import ImagePlan, Plan, make_plan
from .preview import Preview
from .recording import Recorder, TimedEvent
from .session import Refusal, Session
from .several import DeviceResult, SeveralUpdates, worst

__all__ = [
    "ActivateMode",
    "Candidate",
    "DeviceResult",
    "DeviceState",
    "Event",
    "ImagePlan",
    "ImageSlot",
    "Knowledge",
    "Listener",
    "Outcome",
    "Phase",
    "PhaseDone",
    "PhaseStarted",
    "Plan",
    "Preview",
    "Recorder",
    "Refusal",
    "Remark",
    "Session",
    "SeveralUpdates",
    "TimedEvent",
    "Update",
    "UpdateOptions",
    "UploadProgress",
    "candidates_from_build",
    "candidates_from_signed",
    "knowledge_from_build",
    "make_plan",
    "worst",
]
