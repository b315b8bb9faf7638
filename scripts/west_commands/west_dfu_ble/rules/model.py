# SPDX-License-Identifier: Apache-2.0
"""What a rule is and what it says: exactly one outcome per image, so that silence means nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..diagnostics import Diagnostic


class Status(Enum):
    """How a rule ended for one image; `UNKNOWN` when it could not look."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not-applicable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    """One rule's word on one image.

    `image` is the image's name, or ``""`` for the build as a whole. `diagnostic` stands with
    `FAIL`; `reason` with the others says what was seen, what made the rule not applicable, or why
    it could not be decided.
    """

    code: str
    name: str
    image: str
    status: Status
    reason: str = ""
    diagnostic: Diagnostic | None = None
