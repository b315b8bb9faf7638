# SPDX-License-Identifier: Apache-2.0
"""For each rule with a module of its own: builds that it finds, and one that it passes."""

from __future__ import annotations

from collections.abc import Mapping

from core_cases import CORE_CASES
from flash_cases import FLASH_CASES
from image_cases import IMAGE_CASES
from kconfig_cases import KCONFIG_CASES
from package_cases import PACKAGE_CASES
from rule_case import Case

CASES: Mapping[str, tuple[Case, ...]] = {
    **PACKAGE_CASES,
    **KCONFIG_CASES,
    **FLASH_CASES,
    **IMAGE_CASES,
    **CORE_CASES,
    "IM354": (*IMAGE_CASES["IM354"], *CORE_CASES["IM354"]),
}
