# SPDX-License-Identifier: Apache-2.0
"""A finished build directory, as one frozen `Build`; everything else reads it from here.

`find` says which directory is meant, `load` reads it once. `read_elf` reads an image's ELF file
when somebody needs it: that takes longer than all the rest. `ConfigurationSources` says where a
person set a symbol; what it needs is imported with it, since only `check` asks.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .elf import ElfFacts, LoadSegment, read_elf
from .find import find
from .layout import is_build_directory
from .load import load
from .model import (
    Artifact,
    ArtifactKind,
    Build,
    Figure,
    FlashRegion,
    Image,
    Kconfig,
    Layout,
    ModeFact,
    Partition,
    Role,
    SignatureType,
    SigningKey,
    Slot,
    Symbol,
)
from .westconfig import configured_dir_fmt, west_options, west_topdir

if TYPE_CHECKING:
    from .config_assignments import (
        Cause,
        ConfigurationSources,
        Provenance,
        Setting,
        where_assigned,
    )
    from .config_sources import ConfigurationFile, Origin, configuration_files
    from .config_variables import ExtraConfiguration, extra_configuration

__all__ = [
    "Artifact",
    "ArtifactKind",
    "Build",
    "Cause",
    "ConfigurationFile",
    "ConfigurationSources",
    "ElfFacts",
    "ExtraConfiguration",
    "Figure",
    "FlashRegion",
    "Image",
    "Kconfig",
    "Layout",
    "LoadSegment",
    "ModeFact",
    "Origin",
    "Partition",
    "Provenance",
    "Role",
    "Setting",
    "SignatureType",
    "SigningKey",
    "Slot",
    "Symbol",
    "configuration_files",
    "configured_dir_fmt",
    "extra_configuration",
    "find",
    "is_build_directory",
    "load",
    "read_elf",
    "west_options",
    "west_topdir",
    "where_assigned",
]

_IMPORTED_LATER = {
    **dict.fromkeys(("ConfigurationFile", "Origin", "configuration_files"), "config_sources"),
    **dict.fromkeys(("ExtraConfiguration", "extra_configuration"), "config_variables"),
    **dict.fromkeys(("Cause", "ConfigurationSources", "Provenance"), "config_assignments"),
    **dict.fromkeys(("Setting", "where_assigned"), "config_assignments"),
}


def __getattr__(name: str) -> object:
    """Import what few need when it is asked for (PEP 562)."""
    if name not in _IMPORTED_LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_IMPORTED_LATER[name]}", __name__), name)
