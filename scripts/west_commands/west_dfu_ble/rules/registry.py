# SPDX-License-Identifier: Apache-2.0
"""Every rule, in the order of the report."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from .catalogue import read_catalogue
from .model import Rule
from .symbol_rule import symbol_rules

# One rule a module; each has the rule as `RULE`.
_MODULES = (
    "stale_build",
    "boards",
    "one_slot",
    "package_contents",
    "outdated_image",
    "other_generation",
    "helper_without_hooks",
    "competing_modules",
    "nobody_confirms",
    "small_stacks",
    "open_access",
    "strict_default",
    "removed_open_option",
    "bonded_peers_only",
    "mode_mismatch",
    "downgrade_prevention",
    "encrypted_direct_xip",
    "primary_slot_validation",
    "image_count",
    "unsigned_images",
    "signing_keys",
    "hash_kind",
    "missing_variant",
    "variant_settings",
    "reassembly",
    "frame_buffers",
    "buffer_count",
    "buffer_parameters",
    "att_mtu_limits",
    "link_packets",
    "connection_parameters",
    "progressive_erase",
    "slot_missing",
    "slot_sizes",
    "slot_alignment",
    "slot_region",
    "slot_overlap",
    "external_flash",
    "devicetree_overruled",
    "sector_count",
    "scratch_area",
    "demo_key",
    "linked_elsewhere",
    "copied_variant",
    "module_not_linked",
    "cut_binary",
    "image_capacity",
    "image_refused",
    "declared_slot",
    "encrypted_image",
    "header_size",
    "version_order",
    "build_number",
    "version_never_set",
    "network_core",
    "network_core_revert",
    "second_image",
    "images_mixed_up",
)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule: the catalogue first, then the rules with a module of their own."""
    modules = (import_module(f".{name}", __package__) for name in _MODULES)
    return (*symbol_rules(read_catalogue()), *(module.RULE for module in modules))
