# SPDX-License-Identifier: Apache-2.0
"""`west flash -r dfu-ble`: the whole job of `west dfu-ble`, as a runner of Zephyr (4.1 and later).

Zephyr imports this file in every `west flash`, `west debug` and so on, because `zephyr/module.yml`
names it. So it imports nothing that those do not import anyway, and leaves the work to the command.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

import yaml
from runners.core import RunnerCaps, ZephyrBinaryRunner


class DfuBleRunner(ZephyrBinaryRunner):  # type: ignore[misc] # Zephyr's class is not seen by mypy
    """Updates the device over Bluetooth LE instead of writing its flash through a probe."""

    def __init__(self, cfg: Any, options: list[str]) -> None:
        super().__init__(cfg)
        self.options = options

    @classmethod
    def name(cls) -> str:
        """Return what follows `west flash -r`."""
        return "dfu-ble"

    @classmethod
    def capabilities(cls) -> Any:
        """Only to flash; `--dev-id` and `--tool-opt` mean something."""
        return RunnerCaps(commands={"flash"}, dev_id=True, tool_opt=True)

    @classmethod
    def dev_id_help(cls) -> str:
        """Return the help of `--dev-id`."""
        return "name or address of the device (default: as `west dfu-ble` has it)"

    @classmethod
    def tool_opt_help(cls) -> str:
        """Return the help of `--tool-opt`."""
        return "any option of `west dfu-ble`, for example --tool-opt=--no-confirm; repeatable"

    @classmethod
    def do_add_parser(cls, parser: argparse.ArgumentParser) -> None:
        """Add the one option that Zephyr has no name for."""
        parser.add_argument("--link", help="how to reach the device, as `west dfu-ble --link`")

    @classmethod
    def do_create(cls, cfg: Any, args: argparse.Namespace) -> DfuBleRunner:
        """Make the runner from Zephyr's and its own arguments."""
        options = ["--device", args.dev_id] if args.dev_id else []
        options += ["--link", args.link] if args.link else []
        for text in args.tool_opt or []:
            options += shlex.split(text)
        return cls(cfg, options)

    def do_run(self, command: str, **_: object) -> None:
        """Update the device; the exit status of `west dfu-ble` becomes that of `west flash`."""
        build = Path(self.cfg.build_dir).resolve()
        domains = build.parent / "domains.yaml"
        if domains.is_file():
            # With sysbuild Zephyr asks for one image after the other, bootloader first. The
            # update is made from the build as a whole, once: when the application's turn comes.
            default = yaml.safe_load(domains.read_text(encoding="utf-8"))["default"]
            if build.name != default:
                self.logger.info(f"{build.name}: nothing to do, {default} brings the update")
                return
            build = build.parent
        west = [sys.executable, "-m", "west", "dfu-ble"]
        self.check_call([*west, "--build-dir", str(build), *self.options])
