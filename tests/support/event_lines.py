# SPDX-License-Identifier: Apache-2.0
"""The JSON lines of an update, each held against its schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from west_dfu_ble.resources import schema_path

_SCHEMA = json.loads(schema_path("event.json").read_text(encoding="utf-8"))


def events_of(out: str) -> list[dict[str, Any]]:
    """Return the events that a run wrote."""
    validator = jsonschema.Draft202012Validator(_SCHEMA)
    events = [json.loads(line) for line in out.splitlines()]
    for event in events:
        validator.validate(event)
    return events
