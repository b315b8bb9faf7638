# SPDX-License-Identifier: Apache-2.0
"""IM353: the CAF SMP module is really in the firmware."""

from __future__ import annotations

from ..builddir import Image, read_elf
from ..diagnostics import DfuBleError, Help, Location, Note
from .generation import Generation
from .model import (
    Category,
    Context,
    Finding,
    Rule,
    RuleDoc,
    Verdict,
    not_applicable,
    passed,
    unknown,
)

_MODULE = "CONFIG_CAF_BLE_SMP"
_CALLBACK = "upload_confirm_cb"

DOC = RuleDoc(
    code="IM353",
    name="module-not-linked",
    category=Category.FRAGILE,
    summary="the CAF SMP module is configured, and its callback is not in the ELF file",
    checks=(
        f"Where `{_MODULE}` is on, the application's ELF file must have the module's local symbol "
        f"`{_CALLBACK}` (SDK 2.4 and later)."
    ),
    why="Nobody is told of an upload under way, so nothing keeps the connection fast.",
    fix="Build again; see whether the application brings a file of its own in the module's place.",
    bad="nm zephyr.elf | grep upload_confirm_cb   # nothing",
    good="000490e4 t upload_confirm_cb",
    applies="profile `caf`, SDK 2.4 and later, with an ELF file that has symbols",
    references=("sdk-nrf subsys/caf/modules/ble_smp.c",),
    known_problems="Link-time optimisation may rename or inline the function.",
)


def check(context: Context, image: Image) -> Verdict:
    """Look for the callback's symbol."""
    if not image.kconfig.is_on(_MODULE):
        return not_applicable(f"`{_MODULE}` is off")
    if context.generation is not Generation.NEW:
        return not_applicable("how the module names its callback is known for SDK 2.4 and later")
    if image.elf is None:
        return unknown("there is no ELF file of this image in the build directory")
    try:
        elf = read_elf(image.elf)
    except DfuBleError as error:
        return unknown(f"the ELF file can't be read: {error.diagnostic.message}")
    if not elf.symbols:
        return unknown("the ELF file has no symbols")
    # Link-time optimisation appends a suffix.
    if any(name.split(".")[0] == _CALLBACK for name in elf.symbols):
        return passed(f"`{_CALLBACK}` is in the ELF file")
    return Finding(
        message=f"`{_CALLBACK}` is none of the {len(elf.symbols)} symbols of the ELF file",
        location=Location(image.elf),
        notes=(Note(f"`{_MODULE}` is on", image.kconfig.where(_MODULE)),),
        helps=(Help("build again from scratch", edit="west build --pristine\n"),),
    )


RULE = Rule(DOC, check, follows=("KC150",))
