# SPDX-License-Identifier: Apache-2.0
"""KC180: no option of another SDK generation is left in the configuration files."""

from __future__ import annotations

from ..builddir import ConfigurationSources, Image, Role, Setting
from ..diagnostics import Help, Note
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
from .renames import LATER_NAMES, NEW_NAMES, OLD_NAMES

DOC = RuleDoc(
    code="KC180",
    name="option-of-another-generation",
    category=Category.FRAGILE,
    summary="a configuration file sets an option that this SDK does not have any more, or not yet",
    checks=(
        "Every line of the application's configuration files (`CONF_FILE`, overlays, snippets) "
        "that sets an option of MCUmgr by the name of another generation: the old names up to SDK "
        "2.3, the new ones from 2.4 on. The generation is told from the symbols in `.config`. Also "
        "options of MCUboot that were renamed later ("
        + ", ".join(f"`{old}`, now `{new}`" for old, new in LATER_NAMES.items())
        + "), where `.config` has the one and not the other."
    ),
    why=(
        "Kconfig drops such a line with no more than a warning, and the option has its default "
        "instead of what the file says."
    ),
    fix="Rename it; Zephyr's `scripts/utils/migrate_mcumgr_kconfigs.py` does so for whole files.",
    bad="CONFIG_MCUMGR_SMP_BT=y          # prj.conf, SDK 2.5",
    good="CONFIG_MCUMGR_TRANSPORT_BT=y    # prj.conf, SDK 2.5",
    applies="builds whose configuration files are on this machine",
    references=(
        "zephyr scripts/utils/migrate_mcumgr_kconfigs.py",
        "Zephyr 3.3 release notes, MCUmgr",
    ),
)


def check(context: Context, image: Image) -> Verdict:
    """Look through every line that sets something."""
    generation = context.generation
    if generation is None:
        return unknown("the configuration holds no symbol that tells the SDK's generation")
    sources = ConfigurationSources(context.build)
    settings = sources.settings(image)
    if not settings:
        return not_applicable("none of the configuration files is on this machine")
    renamed = NEW_NAMES if generation is Generation.NEW else OLD_NAMES
    both_ways = {**LATER_NAMES, **{new: old for old, new in LATER_NAMES.items()}}
    renamed = {**renamed, **{one: its for one, its in both_ways.items() if its in image.kconfig}}
    # A name that `.config` knows is one of this generation after all.
    wrong = [
        (lines[-1], name, renamed[name])
        for name, lines in settings.items()
        if name in renamed and name not in image.kconfig and lines[-1].is_editable
    ]
    if not wrong:
        return passed(f"{len(settings)} options are set, none by a name of another generation")
    wrong.sort(key=lambda one: (str(one[0].location.path), one[0].location.line or 0))
    first, name, right = wrong[0]
    return Finding(
        message=f"`{name}` is called `{right}` in "
        + ("this SDK" if name in both_ways else generation.title),
        location=first.location,
        notes=tuple(
            Note(f"`{other}` is called `{its}`", line.location) for line, other, its in wrong[1:]
        ),
        helps=(
            Help(
                f"write in `{first.location.path.name}`"
                + (" and the others" if len({one[0].location.path for one in wrong}) > 1 else ""),
                edit="".join(f"{its}={_quoted(line)}\n" for line, _, its in wrong),
            ),
        ),
        data={"names": {other: its for _, other, its in wrong}},
    )


def _quoted(line: Setting) -> str:
    plain = line.value.isalnum() or line.value.lstrip("-").isdigit()
    return line.value if plain else f'"{line.value}"'


RULE = Rule(DOC, check, roles=(Role.APPLICATION,))
