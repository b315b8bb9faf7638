# SPDX-License-Identifier: Apache-2.0
"""`python -m west_dfu_ble` and the console script `dfu-ble`.

Nothing is imported before `main`: Ctrl-C ends the first moments as quietly as all the others.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and end the process with its exit status."""
    try:
        import signal

        from .cli import main as run

        status = run()
        # All is done and told: what is left is Python's own end, which Ctrl-C would only make ugly.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
