# SPDX-License-Identifier: Apache-2.0
"""What a check is asked to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..configuration import Waiver
from ..diagnostics import Location, Severity


@dataclass(frozen=True)
class CheckOptions:
    """How a build is checked.

    `profile` is ``caf``, ``mcumgr`` or `None` (told from the build); with `release`, what is
    unsafe in production is an error. `select` and `ignore` are codes, names or families (``KC``).
    A finding of `fail_on` or worse ends with status 3; with `strict`, a rule that could not decide
    ends with 4. `severity` (by code, name or family) and `waivers` are the project's own settings,
    `severity_at` is where its file has them.
    `baseline` is an image or package of the firmware in the field, to compare versions with.
    """

    profile: str | None = None
    release: bool = False
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity = Severity.ERROR
    strict: bool = False
    severity: Mapping[str, Severity] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    severity_at: Mapping[str, Location] = field(default_factory=dict)
    baseline: Path | None = None
