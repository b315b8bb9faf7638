# SPDX-License-Identifier: Apache-2.0
"""The command line: its actions, the options that each takes, and the parser made of them.

`groups` is the table of most options; `signing`, `forward` and `logs` hold those of one matter.
"""

from __future__ import annotations

from .actions import ACTIONS, DESCRIPTION, EPILOG, add_arguments, foreign_option, make_parser
from .types import FORMATS

__all__ = [
    "ACTIONS",
    "DESCRIPTION",
    "EPILOG",
    "FORMATS",
    "add_arguments",
    "foreign_option",
    "make_parser",
]
