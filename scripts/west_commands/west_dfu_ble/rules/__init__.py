# SPDX-License-Identifier: Apache-2.0
"""The rules: a build goes in, one outcome for each rule and image comes out.

Plain rules ("this symbol must be on") stand in `catalogue.yml`, every other rule in a module of
its own; its documentation stands beside it, and is the only one.
"""

from __future__ import annotations

from .baseline import baseline_version
from .check_report import CheckReport, Summary, UploadEstimate
from .documentation import catalogue, catalogue_text, explain, rule_page
from .engine import evaluate
from .fixes import Fixes, FixLine, Fragment, LeftOver, fixes, is_own
from .generation import Generation
from .model import Category, Outcome, RuleDoc, Status
from .options import CheckOptions
from .profile import Profile
from .slot_use import SlotUse, slot_uses

__all__ = [
    "Category",
    "CheckOptions",
    "CheckReport",
    "FixLine",
    "Fixes",
    "Fragment",
    "Generation",
    "LeftOver",
    "Outcome",
    "Profile",
    "RuleDoc",
    "SlotUse",
    "Status",
    "Summary",
    "UploadEstimate",
    "baseline_version",
    "catalogue",
    "catalogue_text",
    "evaluate",
    "explain",
    "fixes",
    "is_own",
    "rule_page",
    "slot_uses",
]
