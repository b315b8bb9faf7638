# SPDX-License-Identifier: Apache-2.0
"""`python -m west_dfu_ble` and the console script `dfu-ble`."""

from __future__ import annotations

import sys

from .cli import main as run


def main() -> None:
    """Run the command line and end the process with its exit status."""
    sys.exit(run())


if __name__ == "__main__":
    main()
