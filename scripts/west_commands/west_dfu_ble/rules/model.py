# SPDX-License-Identifier: Apache-2.0
"""What a rule is and what it says: exactly one outcome per image, so that silence means nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ..builddir import Build, Image, Role
from ..diagnostics import Diagnostic, Help, Location, Note, Severity
from .generation import Generation
from .profile import Profile

if TYPE_CHECKING:
    from ..image import ImageVersion


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
    it could not be decided. `waived` is the project's reason for accepting a failure; a waived one
    counts for nothing but stays in every report.
    """

    code: str
    name: str
    image: str
    status: Status
    reason: str = ""
    diagnostic: Diagnostic | None = None
    waived: str | None = None


class Category(Enum):
    """What kind of mistake a rule finds; its severity follows from that."""

    BROKEN = "broken"
    UNSAFE = "unsafe"
    FRAGILE = "fragile"
    SLOW = "slow"

    @property
    def meaning(self) -> str:
        """One line for the documentation."""
        return _MEANINGS[self]

    def severity(self, *, release: bool) -> Severity:
        """Return how bad a finding is; what is unsafe is an error in a release."""
        if self is Category.UNSAFE:
            return Severity.ERROR if release else Severity.WARNING
        return _SEVERITIES[self]


_MEANINGS = {
    Category.BROKEN: "the update can't work: an error",
    Category.UNSAFE: "it works, but is not fit for production: a warning, an error with --release",
    Category.FRAGILE: "it works today, by luck: a warning",
    Category.SLOW: "it works, and wastes time: an information",
}
_SEVERITIES = {
    Category.BROKEN: Severity.ERROR,
    Category.FRAGILE: Severity.WARNING,
    Category.SLOW: Severity.INFO,
}


@dataclass(frozen=True)
class RuleDoc:
    """A rule's documentation: `explain`, `docs/rules/` and SARIF all come from here.

    The texts are Markdown paragraphs; `summary` is one line without a full stop. `why` is also
    the diagnostic's, so it is one or two sentences about the update. `applies` names the SDK
    versions, modes or profiles that the rule is for.
    """

    code: str
    name: str
    category: Category
    summary: str
    checks: str
    why: str
    fix: str
    bad: str
    good: str
    applies: str
    references: tuple[str, ...]
    known_problems: str = "None known."


@dataclass(frozen=True)
class Finding:
    """What a rule says when it fails; the engine makes the diagnostic of it.

    `why` and `severity` default to those of the rule.
    """

    message: str
    location: Location | None = None
    notes: tuple[Note, ...] = ()
    helps: tuple[Help, ...] = ()
    why: str = ""
    severity: Severity | None = None
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Word:
    """What a rule says when it does not fail."""

    status: Status
    reason: str


Verdict = Finding | Word


def passed(reason: str = "") -> Word:
    """The rule looked and found nothing; `reason` is what it saw."""
    return Word(Status.PASS, reason)


def not_applicable(reason: str) -> Word:
    """The rule does not concern this build, because of `reason`."""
    return Word(Status.NOT_APPLICABLE, reason)


def unknown(reason: str) -> Word:
    """The rule could not look, because of `reason`."""
    return Word(Status.UNKNOWN, reason)


@dataclass(frozen=True)
class Context:
    """All that a rule may know. `generation` is `None` if the build has no MCUmgr symbol.

    `baseline` is the version in the field, if one was given.
    """

    build: Build
    profile: Profile
    generation: Generation | None
    baseline: ImageVersion | None = None


@dataclass(frozen=True)
class Rule:
    """One rule: its documentation, the images that it looks at, and how it looks.

    `roles` choose the images; without any it is the build as a whole. `follows` are the codes of
    rules whose failure explains this one's, so that it then stays silent.
    """

    doc: RuleDoc
    check: Callable[[Context, Image], Verdict]
    roles: tuple[Role, ...] = (Role.APPLICATION,)
    follows: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        """The rule's code, for example ``KC150``."""
        return self.doc.code
