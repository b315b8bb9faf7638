# SPDX-License-Identifier: Apache-2.0
"""Make a help fit the files that this build has: their names, and what they say already."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from ..builddir import Build, Cause, ConfigurationSources, Image, Origin, configuration_files
from ..diagnostics import DfuBleError, Help

_LINE = re.compile(r"(CONFIG_\w+)=(.+)", re.MULTILINE)
_RULES_NAME = "prj.conf"


class FittedHelps:
    """Knows what the application's own configuration file is called, and what stands in it."""

    def __init__(self, build: Build, sources: ConfigurationSources) -> None:
        """Read nothing yet."""
        self._build = build
        self._sources = sources
        # By the name, without its ending, of the file that a rule speaks of.
        self._images: Mapping[str, Image] = {
            **{image.name: image for image in build.images},
            "prj": build.application,
        }
        self._name: str | None = None

    def fit(self, helping: Help) -> Help:
        """Return the help in terms of this build; `file` stays what the rule calls it."""
        text = helping.text
        if helping.file == _RULES_NAME:
            text = text.replace(f"`{_RULES_NAME}`", f"`{self._own_name()}`")
        if self._is_in_vain(helping):
            text = (
                "these lines are there already, and Kconfig does not keep them: see its warnings "
                "(`west build --pristine`), and give them what they depend on"
            )
        return helping if text == helping.text else replace(helping, text=text)

    def _own_name(self) -> str:
        """Return what the application's first own configuration file is called."""
        if self._name is None:
            self._name = _RULES_NAME
            try:
                files = configuration_files(self._build, self._build.application)
            except DfuBleError:
                return self._name
            own = [one.path.name for one in files if one.origin is Origin.APPLICATION]
            self._name = own[0] if own else _RULES_NAME
        return self._name

    def _is_in_vain(self, helping: Help) -> bool:
        """Whether every line of the edit stands in the files, without effect."""
        image = self._images.get(PurePosixPath(helping.file).stem)
        lines = _LINE.findall(helping.edit)
        if image is None or not lines:
            return False
        for symbol, value in lines:
            known = self._sources.provenance(image, symbol)
            if known.cause is not Cause.DROPPED or known.settings[-1].value != value.strip('"'):
                return False
        return True
