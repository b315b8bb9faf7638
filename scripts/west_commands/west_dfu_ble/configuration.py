# SPDX-License-Identifier: Apache-2.0
"""The project's own settings, `dfu-ble.yml`: strictness, waivers, link and device.

The schema is `schemas/configuration.yml`; pykwalify checks it, and every complaint names the line.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .diagnostics import DfuBleError, Location, Severity
from .faults import fault
from .resources import schema_path

FILE_NAME = "dfu-ble.yml"
# A page of settings; a file beyond this is not one of ours.
_LARGEST = 256 * 1024


@dataclass(frozen=True)
class Waiver:
    """A finding that the project accepts, with its reason.

    `until` is the last day on which it holds, `None` for ever; `image` narrows it to one image.
    """

    rule: str
    reason: str
    until: datetime.date | None
    image: str | None
    location: Location


@dataclass(frozen=True)
class Configuration:
    """What `dfu-ble.yml` says; `None` and empty where it is silent."""

    path: Path | None = None
    release: bool = False
    profile: str | None = None
    fail_on: Severity | None = None
    link: str | None = None
    device: str | None = None
    severity: Mapping[str, Severity] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    severity_at: Mapping[str, Location] = field(default_factory=dict)


def read_configuration(path: Path) -> Configuration:
    """Read and check a configuration file.

    Raises `DfuBleError` EN008 (usage) for a file that is missing, no YAML, or not as the schema
    asks; the diagnostic names the line.
    """
    import yaml

    text = _text(path)
    try:
        # Aliases have no use here, and a few of them can expand to gigabytes.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise _complaint(path, None, "it uses YAML aliases, which have no use here")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise _complaint(path, line, f"it is no YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _complaint(path, None, "it is no YAML") from error
    if values is None:
        return Configuration(path)
    _check_schema(path, values, node)
    waivers = values.get("waivers", [])
    return Configuration(
        path=path,
        release=values.get("release", False),
        profile=values.get("profile"),
        fail_on=Severity(values["fail-on"]) if "fail-on" in values else None,
        link=values.get("link"),
        device=values.get("device"),
        severity={str(rule): Severity(name) for rule, name in values.get("severity", {}).items()},
        waivers=tuple(
            Waiver(
                rule=one["rule"],
                reason=one["reason"],
                until=_date(one.get("until")),
                image=one.get("image"),
                location=Location(path, _line(node, ["waivers", str(index)])),
            )
            for index, one in enumerate(waivers)
        ),
        severity_at={
            str(rule): Location(path, _line(node, ["severity", str(rule)]))
            for rule in values.get("severity", {})
        },
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise _complaint(path, None, f"it is larger than {_LARGEST // 1024} kB")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise _complaint(path, None, f"it can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _complaint(path, None, "it is no text in UTF-8") from error


def _date(value: Any) -> datetime.date | None:
    # YAML makes a date of `2026-12-31` and leaves `"2026-12-31"` a string; both were checked.
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value


def _check_schema(path: Path, values: Any, node: Any) -> None:
    import logging

    import yaml
    from pykwalify.core import Core
    from pykwalify.errors import SchemaError

    # pykwalify logs every complaint as an error of its own before it raises them together.
    logging.getLogger("pykwalify").setLevel(logging.CRITICAL)
    schema = yaml.safe_load(schema_path("configuration.yml").read_text(encoding="utf-8"))
    core = Core(source_data=values, schema_data=schema)
    try:
        core.validate(raise_exception=True)
    except SchemaError as error:
        first = core.errors[0] if core.errors else None
        where = [part for part in str(getattr(first, "path", "")).split("/") if part]
        # Where it is goes into the location, as a line, which is more use than a path in the YAML.
        text = re.split(r"\.? (?:Value path|Path):", str(first))[0] if first else error.msg
        if "novalue" in text and where:
            text = f"`{where[-1]}` has no value"
        elif unknown := re.fullmatch(r"Key '(.*)' was not defined", text):
            where.append(unknown[1])
            text = f"there is no key '{unknown[1]}'"
        elif text.startswith("Enum ") and first and where:
            choices = f"{first.enum_values}".strip("[]").replace("'", "")
            text = f"`{where[-1]}` is '{first.value}', and can be {choices}"
        raise _complaint(path, _line(node, where), _lower(text)) from error


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _line(node: Any, path: list[str]) -> int | None:
    """Return the line of the node that `path` leads to, or of the last one on the way there."""
    for part in path:
        if isinstance(node.value, list) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
        elif isinstance(node.value, list):
            pairs = [pair for pair in node.value if isinstance(pair, tuple)]
            node = next((value for key, value in pairs if key.value == part), node)
    return int(node.start_mark.line) + 1


def _complaint(path: Path, line: int | None, text: str) -> DfuBleError:
    return fault(
        "EN008",
        f"the configuration file can't be used: {text}",
        why="Settings that are not understood are not half applied.",
        location=Location(path, line),
        helps=["see docs/configuration.md for what the file may hold"],
    )
