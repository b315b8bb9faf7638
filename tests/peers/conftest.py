# SPDX-License-Identifier: Apache-2.0
"""Real peers as fixtures; each test that needs one is marked `peer`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from zephyr_qemu import ZephyrServer, zephyr_server


@pytest.fixture
def zephyr_qemu() -> Iterator[Callable[..., ZephyrServer]]:
    """Start servers in QEMU, `zephyr_qemu("qemu_cortex_m0", "serial")`; all end with the test."""
    with ExitStack() as stack:
        yield lambda *which, **how: stack.enter_context(zephyr_server(*which, **how))
