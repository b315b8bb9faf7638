# SPDX-License-Identifier: Apache-2.0
"""What an option is, and how options come to a parser."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Option:
    """One option: its flags and what argparse wants to know of it."""

    flags: tuple[str, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def destination(self) -> str:
        """The name under which argparse keeps its value."""
        named = self.kwargs.get("dest")
        return str(named) if named else self.flags[-1].lstrip("-").replace("-", "_")

    def add_to(self, parser: argparse._ArgumentGroup, *, with_default: bool) -> None:
        """Add it to a group; without a default its absence leaves no trace in the namespace."""
        kwargs = dict(self.kwargs)
        if not with_default:
            kwargs["default"] = argparse.SUPPRESS
        parser.add_argument(*self.flags, **kwargs)


# Options under their titles in the help.
Group = Mapping[str, Sequence[Option]]


def add_groups(
    parser: argparse.ArgumentParser, groups: Sequence[Group], *, without_default: Sequence[Group]
) -> None:
    """Add groups of options to a parser, each title once, some of them without their defaults."""
    sections: dict[str, argparse._ArgumentGroup] = {}
    for group in groups:
        for title, options in group.items():
            if title not in sections:
                sections[title] = parser.add_argument_group(title)
            for option in options:
                option.add_to(sections[title], with_default=group not in without_default)
