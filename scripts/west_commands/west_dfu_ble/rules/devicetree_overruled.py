# SPDX-License-Identifier: Apache-2.0
"""DT256: the devicetree describes slots that are not the real ones, and signing believes it."""

from __future__ import annotations

from ..builddir import Build, Image, Layout, Slot
from ..diagnostics import Help, Note
from .flash_layout import PM_REFERENCE, is_partition_managed, title
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

DOC = RuleDoc(
    code="DT256",
    name="devicetree-overruled",
    category=Category.FRAGILE,
    summary="the images are signed for slot sizes of the devicetree, which are not the real ones",
    checks=(
        "Size of each slot in `partitions.yml` against `slot0_partition` and `slot1_partition` in "
        "`zephyr.dts`. Partition Manager's figures are the real ones, and in most builds of the "
        "SDK the devicetree says otherwise, which harms nobody; the outcome tells. It is a finding "
        "in sysbuild builds up to SDK 2.5, which sign by the devicetree's sizes."
    ),
    why=(
        "Signing checks the image against a slot that does not exist: one that is too large is "
        "signed, or one that fits is refused."
    ),
    fix=(
        "Say the same in both: a `pm_static.yml` with the devicetree's figures, or an overlay with "
        "those of Partition Manager. Or build with the SDK's own child images."
    ),
    bad=(
        "slot0_partition: partition@c000 { reg = <0xc000 0x76000>; };\n"
        "mcuboot_primary: {address: 0xc000, size: 0x77000}   # partitions.yml"
    ),
    good=(
        "slot0_partition: partition@c000 { reg = <0xc000 0x77000>; };\n"
        "mcuboot_primary: {address: 0xc000, size: 0x77000}   # partitions.yml"
    ),
    applies="builds with Partition Manager",
    references=(PM_REFERENCE,),
)


def check(context: Context, image: Image) -> Verdict:
    """Compare the two descriptions."""
    build = context.build
    if not is_partition_managed(build):
        return not_applicable("the build does not use Partition Manager")
    described = {(slot.image, slot.index): slot for slot in build.devicetree_slots}
    pairs = [
        (slot, described[slot.image, slot.index])
        for slot in build.slots
        if (slot.image, slot.index) in described
    ]
    differing = [pair for pair in pairs if _figures(pair[0]) != _figures(pair[1])]
    if not differing:
        return passed("both say the same, or the devicetree has no slots")
    sizes = [pair for pair in differing if pair[0].size.value != pair[1].size.value]
    if not _signs_by_devicetree(build) or not sizes:
        slot, said = differing[0]
        return passed(
            f"Partition Manager's figures hold: the {title(slot, build)} is at "
            f"{slot.address.value:#x} with {slot.size.value:#x} bytes, where the devicetree says "
            f"{said.address.value:#x} and {said.size.value:#x}"
        )
    slot, said = sizes[0]
    return Finding(
        message=f"the {title(slot, build)} has {slot.size.value:#x} bytes, the devicetree by which "
        f"it is signed says {said.size.value:#x}",
        location=said.size.location,
        notes=(Note("Partition Manager decides", slot.size.location),),
        helps=(Help("say the same in `pm_static.yml` and in the devicetree"),),
        data={"real": slot.size.value, "devicetree": said.size.value},
    )


def _figures(slot: Slot) -> tuple[int, int]:
    return slot.address.value, slot.size.value


def _signs_by_devicetree(build: Build) -> bool:
    # From 2.6 on the SDK signs in sysbuild itself, by Partition Manager; that is when the option
    # came that turns Partition Manager on in sysbuild.
    return build.layout is Layout.NCS_SYSBUILD and (
        build.sysbuild is None or "SB_CONFIG_PARTITION_MANAGER" not in build.sysbuild
    )


RULE = Rule(DOC, check, roles=())
