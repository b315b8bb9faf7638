# SPDX-License-Identifier: Apache-2.0
"""The project's settings for this run: its configuration file, with the command line on top."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..builddir import Build
from ..configuration import FILE_NAME, Configuration, read_configuration
from ..diagnostics import Severity

DEFAULT_LINK = "ble"


def settings(args: argparse.Namespace, build: Build | None) -> Configuration:
    """Return what the command line says, then the file given or found, then the defaults.

    The file is ``--config``, or `dfu-ble.yml` in the application's folder if there is one. Raises
    `DfuBleError` EN008 for a file that can't be used.
    """
    config = Configuration()
    source = build.application.application_source if build else None
    if args.config:
        config = read_configuration(args.config)
    elif source and (source / FILE_NAME).is_file():
        config = read_configuration(source / FILE_NAME)
    return replace(
        config,
        release=args.release or config.release,
        profile=args.profile or config.profile,
        fail_on=Severity(args.fail_on) if args.fail_on else config.fail_on,
        link=args.link or config.link or DEFAULT_LINK,
        device=args.device[0] if args.device else config.device,
    )
