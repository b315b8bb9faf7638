# SPDX-License-Identifier: Apache-2.0
"""KC184: stacks and heap as large as in configurations that are known to work."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .edits import in_application
from .generation import Generation
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, passed

# The smallest of: Zephyr 3.5.0's smp_svr over Bluetooth, and the SDK's nrf_desktop and
# machine_learning (2.3 to 2.9) with the CAF SMP module. Bytes.
_SMALLEST = {
    "CONFIG_BT_RX_STACK_SIZE": 1200,
    "CONFIG_SYSTEM_WORKQUEUE_STACK_SIZE": 1536,
    "CONFIG_MCUMGR_TRANSPORT_WORKQUEUE_STACK_SIZE": 2048,
}
_OLD_WORKQUEUE = "CONFIG_MCUMGR_SMP_WORKQUEUE_STACK_SIZE"
# Only CAF takes from the heap: its events.
_HEAP = {"CONFIG_HEAP_MEM_POOL_SIZE": 2048}

DOC = RuleDoc(
    code="KC184",
    name="small-stacks",
    category=Category.FRAGILE,
    summary="a stack or the heap is smaller than in any configuration that is known to work",
    checks=(
        "These against the smallest values in configurations that are known to update: "
        + ", ".join(f"`{name}` {size}" for name, size in _SMALLEST.items())
        + " bytes; with CAF also `CONFIG_HEAP_MEM_POOL_SIZE` 2048 bytes, from which its events "
        "are taken. A value that is not written is not judged."
    ),
    why=(
        "A stack that overflows while the image is written resets the device in the middle of the "
        "upload, each time at another place."
    ),
    fix="Raise the value, or measure with `CONFIG_THREAD_ANALYZER` that less is enough.",
    bad="CONFIG_MCUMGR_TRANSPORT_WORKQUEUE_STACK_SIZE=1024",
    good="CONFIG_MCUMGR_TRANSPORT_WORKQUEUE_STACK_SIZE=2048",
    applies="every build",
    references=(
        "sdk-nrf applications/nrf_desktop/configuration/nrf52840gmouse_nrf52840/"
        "prj_mcuboot_smp.conf",
        "zephyr samples/subsys/mgmt/mcumgr/smp_svr",
    ),
    known_problems=(
        "What a stack needs depends on the application's own handlers: enough here is no proof."
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare each value that the configuration has."""
    kconfig = image.kconfig
    limits = dict(_SMALLEST)
    if context.generation in (Generation.OLD, Generation.MIXED):
        limits[_OLD_WORKQUEUE] = limits.pop("CONFIG_MCUMGR_TRANSPORT_WORKQUEUE_STACK_SIZE")
    if kconfig.is_on("CONFIG_CAF"):
        limits |= _HEAP
    small = [
        (name, value, limit)
        for name, limit in limits.items()
        if (value := kconfig.integer(name)) is not None and value < limit
    ]
    if not small:
        return passed("none is smaller than in configurations that are known to work")
    first, *rest = small
    return Finding(
        message=f"`{first[0]}` is {first[1]} bytes, no configuration that is known to work has "
        f"less than {first[2]}",
        location=kconfig.where(first[0]),
        notes=tuple(
            Note(f"`{name}` is {value} bytes, the least known is {limit}", kconfig.where(name))
            for name, value, limit in rest
        ),
        helps=(in_application("".join(f"{name}={limit}\n" for name, _, limit in small)),),
        data={"symbol": first[0], "expected": str(first[2]), "actual": str(first[1])},
    )


RULE = Rule(DOC, check, follows=("KC158",))
