# SPDX-License-Identifier: Apache-2.0
"""What a rule is tested with: a build that it finds, one that it passes, what it should say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sample_builds import BuildWithSources, SampleBuild
from small_builds import SmallBuild
from west_dfu_ble.rules import CheckOptions

AnyBuild = SmallBuild | SampleBuild | BuildWithSources


@dataclass(frozen=True)
class Case:
    """One fault.

    `also` are findings that are not the rule's but can't be avoided with it. `cured_with` is what
    the build makes of the edit besides setting the symbols. `baseline` is an image in the field.
    """

    bad: AnyBuild
    good: AnyBuild = field(default_factory=SmallBuild)
    severity: str = "error"
    message: str = ""
    has_edit: bool = True
    cured_with: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    baseline: bytes | None = None

    def options(self, folder: Path) -> CheckOptions:
        """How the builds are checked; a baseline is written into `folder` first."""
        if self.baseline is None:
            return CheckOptions()
        path = folder / "baseline.bin"
        path.write_bytes(self.baseline)
        return CheckOptions(baseline=path)
