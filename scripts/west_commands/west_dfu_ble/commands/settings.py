# SPDX-License-Identifier: Apache-2.0
"""The settings for this run: the project's file, west's configuration, the command line on top."""

from __future__ import annotations

import argparse
from dataclasses import replace

from ..builddir import Build
from ..configuration import FILE_NAME, Configuration, read_configuration
from ..diagnostics import Severity
from .west_defaults import west_defaults

DEFAULT_LINK = "ble"


def settings(args: argparse.Namespace, build: Build | None) -> Configuration:
    """Return what the command line says, then `west config`, then the file, then the defaults.

    West's configuration is the user's, of this desk; the file is the project's: ``--config``, or
    `dfu-ble.yml` in the application's folder if there is one. Raises `DfuBleError` EN008 for
    either if it can't be used.
    """
    config = Configuration()
    source = build.application.application_source if build else None
    if args.config:
        config = read_configuration(args.config)
    elif source and (source / FILE_NAME).is_file():
        config = read_configuration(source / FILE_NAME)
    own = west_defaults()
    return replace(
        config,
        release=args.release or (config.release if own.release is None else own.release),
        profile=args.profile or own.profile or config.profile,
        fail_on=Severity(args.fail_on) if args.fail_on else own.fail_on or config.fail_on,
        link=args.link or own.link or config.link or DEFAULT_LINK,
        device=args.device[0] if args.device else own.device or config.device,
    )
