# SPDX-License-Identifier: Apache-2.0
"""KC181: the SDK's OTA helper brings MCUmgr, but not the hooks of the CAF SMP module."""

from __future__ import annotations

from ..builddir import Image
from ..diagnostics import Note
from .edits import in_application
from .generation import Generation
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

_HELPER = "CONFIG_NCS_SAMPLE_MCUMGR_BT_OTA_DFU"
_HOOKS = ("CONFIG_MCUMGR_MGMT_NOTIFICATION_HOOKS", "CONFIG_MCUMGR_GRP_IMG_UPLOAD_CHECK_HOOK")

DOC = RuleDoc(
    code="KC181",
    name="helper-without-hooks",
    category=Category.BROKEN,
    summary="the OTA DFU helper is on, and the two hooks of the CAF SMP module are not",
    checks=(
        f"Where `{_HELPER}` is on, `{_HOOKS[0]}` and `{_HOOKS[1]}` must be on too. The rule speaks "
        "only when the hooks are all that is missing for the CAF SMP module."
    ),
    why=(
        "The helper enables all that plain MCUmgr needs, so everything looks complete, but Kconfig "
        "drops `CONFIG_CAF_BLE_SMP` with no more than a warning."
    ),
    fix="Add both hooks to `prj.conf`; the helper never sets them.",
    bad=f"{_HELPER}=y\nCONFIG_CAF_BLE_SMP=y",
    good=f"{_HELPER}=y\nCONFIG_CAF_BLE_SMP=y\n{_HOOKS[0]}=y\n{_HOOKS[1]}=y",
    applies="profile `caf`, nRF Connect SDK 2.3 and later",
    references=("sdk-nrf samples/common/mcumgr_bt_ota_dfu/Kconfig",),
)
_OTHERS = {
    Generation.MIXED: ("CONFIG_MCUMGR_CMD_IMG_MGMT", "CONFIG_MCUMGR_SMP_BT"),
    Generation.NEW: ("CONFIG_MCUMGR_GRP_IMG", "CONFIG_MCUMGR_TRANSPORT_BT"),
}


def check(context: Context, image: Image) -> Verdict:
    """See whether the hooks, and they alone, are missing."""
    kconfig = image.kconfig
    if not context.profile.is_caf:
        return not_applicable(f"profile `mcumgr`: {context.profile.reason}")
    if not kconfig.is_on(_HELPER):
        return not_applicable("the application does not use the SDK's OTA DFU helper")
    missing = [hook for hook in _HOOKS if not kconfig.is_on(hook)]
    if not missing:
        return passed("both hooks are on")
    # Without its hooks a build of 2.3 looks like one before it.
    new = context.generation in (Generation.NEW, None)
    others = _OTHERS[Generation.NEW if new else Generation.MIXED]
    needed = ("CONFIG_CAF_BLE_STATE", "CONFIG_BOOTLOADER_MCUBOOT", *others)
    if not all(kconfig.is_on(name) for name in needed):
        return not_applicable("more than the hooks is missing for the CAF SMP module")
    module = "CONFIG_CAF_BLE_SMP"
    edit = [*missing, *([] if kconfig.is_on(module) else [module])]
    return Finding(
        message=f"the OTA DFU helper is on, but not {' and '.join(f'`{m}`' for m in missing)}",
        location=kconfig.where(missing[0]),
        notes=(
            Note(f"`{_HELPER}` is on", kconfig.where(_HELPER)),
            Note(
                f"`{module}` is {'on' if kconfig.is_on(module) else 'off'}", kconfig.where(module)
            ),
        ),
        helps=(in_application("".join(f"{name}=y\n" for name in edit)),),
        data={"symbol": missing[0], "expected": "y", "actual": "n", "unmet": missing},
    )


RULE = Rule(DOC, check, follows=("KC151",))
