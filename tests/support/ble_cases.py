# SPDX-License-Identifier: Apache-2.0
"""What the tests of the link `ble` have in common: quick waits, one echo, one failure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from fake_bleak import Air
from smp_echo import echo_answer, echo_request
from west_dfu_ble.diagnostics import DfuBleError
from west_dfu_ble.link import ble as ble_module
from west_dfu_ble.link import search
from west_dfu_ble.link.ble import BleLink

SECONDS = 0.1
INSUFFICIENT_ENCRYPTION = 0x0F


def make_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SETTLE_NAME", "_SETTLE_SERVICE", "_SETTLE_RETURN"):
        monkeypatch.setattr(search, name, 0.03)
    monkeypatch.setattr(ble_module, "_PAUSE", 0.02)
    monkeypatch.setattr(ble_module, "_MTU_TIME", 0.3)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def failure(air: Air, device: str | None = "Tiny", seconds: float = SECONDS) -> DfuBleError:
    async def connect() -> None:
        link = BleLink(device, air.stack())
        try:
            await link.connect(seconds)
        finally:
            assert link.is_connected is False
            await link.disconnect()

    with pytest.raises(DfuBleError) as caught:
        asyncio.run(asyncio.wait_for(connect(), 20))
    return caught.value


async def echo(link: BleLink, text: str) -> None:
    await link.send(echo_request(text))
    answer = b""
    while len(answer) < len(echo_answer(text)):
        answer += await link.receive()
    assert answer == echo_answer(text)
