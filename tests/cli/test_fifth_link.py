# SPDX-License-Identifier: Apache-2.0
"""A link of a new kind is one module and a line in the table; all else goes by what it declares."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from boards import make_board, make_update
from running import RunDfuBle
from west_dfu_ble.commands.completion import completion_script
from west_dfu_ble.link import KINDS, AskPasskey, Link, LinkTraits
from west_dfu_ble.link.loopback import LoopbackLink
from west_dfu_ble.link.open import Kind
from west_dfu_ble.virtual import VirtualDevice


class Fifth(LoopbackLink):
    """Leads to a device elsewhere, so that it needs a lock."""

    @property
    def traits(self) -> LinkTraits:
        """What the link can do."""
        return replace(super().traits, kind="fifth", peer="carrier pigeon", in_process=False)


def test_a_fifth_link(dfu_ble: RunDfuBle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _name: tmp_path / "cache")
    board = make_board()

    def open_link(argument: str, *_: str | VirtualDevice | AskPasskey | None) -> Link:
        assert argument == "coop 1"
        return Fifth(board, speed=100)

    module = ModuleType("fifth_link")
    monkeypatch.setattr(module, "open_link", open_link, raising=False)
    monkeypatch.setitem(sys.modules, "fifth_link", module)
    monkeypatch.setitem(KINDS, "fifth", Kind("fifth:COOP", "fifth_link", {}))
    image = tmp_path / "update.bin"
    image.write_bytes(make_update())
    link = ("--link", "fifth:coop 1")

    done = dfu_ble("upload", *link, "--image", image)
    assert done.status == 0, done.err
    assert done.last_line.startswith("the device runs 2.0.0")
    assert [path.name[:14] for path in tmp_path.glob("cache/locks/*")] == ["carrier-pigeon"]
    assert dfu_ble("echo", *link, "coo").out == "coo\n"
    assert "buffers     4 of 2475 bytes" in dfu_ble("status", *link).out

    for refused, why in [
        (("scan", "--link", "fifth:coop 1"), "nothing can be looked for over fifth"),
        (("status", "--link", "fifth"), "write it as fifth:COOP"),
        (("status", *link, "--passkey", "123456"), "--passkey means nothing over the link fifth"),
        (("status", *link, "--hci-log", tmp_path / "log"), "has no HCI packets to log"),
        (
            ("upload", *link, "--image", image, "--device", "a", "--device", "b"),
            "leads to one device, not to 2",
        ),
    ]:
        result = dfu_ble(*refused)
        assert result.status == 2
        assert why in result.err
    assert "fifth" in completion_script("bash")
