# SPDX-License-Identifier: Apache-2.0
"""KC188: an option that opened the SMP service is gone, and the strict default is in its place."""

from __future__ import annotations

from ..builddir import ConfigurationSources, Image
from ..diagnostics import Note
from .edits import in_application
from .model import Category, Context, Finding, Rule, RuleDoc, Verdict, not_applicable, passed

_REMOVED = ("CONFIG_MCUMGR_TRANSPORT_BT_AUTHEN", "CONFIG_MCUMGR_SMP_BT_AUTHEN")
_CHOICE = "CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW"
_STRICT = "CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN"

DOC = RuleDoc(
    code="KC188",
    name="removed-access-option",
    category=Category.FRAGILE,
    summary="the option that opened the SMP service is gone, and the strict default holds",
    checks=(
        f"`{_REMOVED[0]}=n` in a configuration file of a build that knows the choice "
        f"`{_CHOICE}…` of SDK 2.8 and later, and in which `{_STRICT}` is on."
    ),
    why=(
        "The file means everybody to have access, and the device wants an authenticated "
        "connection: hosts that updated it before get `insufficient authentication`."
    ),
    fix=(
        f"Say what is meant by the new choice: `{_CHOICE}=y` for open, `{_CHOICE}_ENCRYPT=y` for "
        f"encrypted, `{_STRICT}=y` for authenticated access."
    ),
    bad=f"{_REMOVED[0]}=n   # prj.conf, SDK 2.8",
    good=f"{_CHOICE}_ENCRYPT=y",
    applies="SDK 2.8 and later (Zephyr 4.0 and later)",
    references=("Zephyr 4.0 migration guide, MCUmgr",),
)


def check(context: Context, image: Image) -> Verdict:
    """Look for the old option where only the new choice counts."""
    kconfig = image.kconfig
    if not any(name in kconfig for name in (_CHOICE, _STRICT)):
        return not_applicable("this SDK has no choice of permissions")
    settings = ConfigurationSources(context.build).settings(image)
    if not settings:
        return not_applicable("none of the configuration files is on this machine")
    for name in _REMOVED:
        lines = settings.get(name, ())
        if lines and lines[-1].value == "n" and name not in kconfig and kconfig.is_on(_STRICT):
            return Finding(
                message=f"`{name}=n` has no effect: the service asks for authentication",
                location=lines[-1].location,
                notes=(Note(f"`{_STRICT}` is on", kconfig.where(_STRICT)),),
                helps=(
                    in_application(
                        f"{_CHOICE}_ENCRYPT=y\n",
                        unless="if encryption is enough, in place of that line",
                        safe=False,
                    ),
                ),
                data={"removed": name},
            )
    return passed("no configuration file sets the removed option")


RULE = Rule(DOC, check, follows=("KC156",))
