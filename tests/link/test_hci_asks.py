# SPDX-License-Identifier: Apache-2.0
"""What the link `hci` asks its controller and the device for, and what it keeps of a pairing."""

from __future__ import annotations

import asyncio
import gc
import io
from pathlib import Path

import pytest
from bumble import hci
from bumble.l2cap import L2CAP_Connection_Parameter_Update_Request

from boards import on_air
from crowd import served
from link_talk import LinkTalk
from west_dfu_ble.link import open_link, search
from west_dfu_ble.link.hci import HciLink
from west_dfu_ble.virtual import Access, VirtualDevice


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_SETTLE_NAME", 0.1)


def packets_of_a_connection(board: VirtualDevice) -> list[hci.HCI_Packet]:
    """Connect, echo, and return every HCI packet, as the log in btsnoop has them."""
    log = io.BytesIO()

    async def talk() -> None:
        async with served([board]) as spec:
            link = open_link(spec, board.radio.name, hci_log=log)
            await link.connect(5)
            assert await LinkTalk(link).echo("hi") == "hi"
            await link.disconnect()

    asyncio.run(asyncio.wait_for(talk(), 20))
    data, at, packets = log.getvalue(), 16, []
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        packets.append(hci.HCI_Packet.from_bytes(data[at + 24 : at + 24 + length]))
        at += 24 + length
    return packets


def test_everything_fast_is_asked_for() -> None:
    packets = packets_of_a_connection(on_air(name="Far"))
    (connect,) = [p for p in packets if isinstance(p, hci.HCI_LE_Create_Connection_Command)]
    # In units of 1.25 ms.
    assert (connect.connection_interval_min, connect.connection_interval_max) == (6, 12)
    (length,) = [p for p in packets if isinstance(p, hci.HCI_LE_Set_Data_Length_Command)]
    assert (length.tx_octets, length.tx_time) == (251, 2120)
    (phy,) = [p for p in packets if isinstance(p, hci.HCI_LE_Set_PHY_Command)]
    assert (phy.tx_phys, phy.rx_phys) == (1 << 1, 1 << 1)  # 2M alone
    # ATT Exchange MTU Request (0x02) of 498 bytes, on channel 4.
    asked = b"\x03\x00\x04\x00\x02" + (498).to_bytes(2, "little")
    assert any(isinstance(p, hci.HCI_AclDataPacket) and p.data == asked for p in packets)


def test_a_link_that_is_lost_while_an_interval_is_agreed_on_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        async with served([on_air(name="Far")]) as spec:
            link = open_link(spec, "Far")
            assert isinstance(link, HciLink)
            await link.connect(5)
            device = await link._controller.open(link)
            (connection,) = device.connections.values()
            connection.handle = 0xEEE  # as for a link that the controller has lost
            wish = L2CAP_Connection_Parameter_Update_Request(
                identifier=1, interval_min=6, interval_max=9, latency=0, timeout=400
            )
            device.l2cap_channel_manager.on_control_frame(connection, 5, wish)
            await asyncio.sleep(0.2)
            gc.collect()  # tasks that nobody waited for complain now
            await link.disconnect()

    asyncio.run(asyncio.wait_for(test(), 20))
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_a_bond_outlives_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_data_path", lambda *_, **__: tmp_path / "data")
    board = on_air(name="Far", access=Access.ENCRYPTED)

    def pairs() -> bool:
        """Connect; tells whether an SMP pairing request (0x01, on channel 6) was sent."""
        packets = packets_of_a_connection(board)
        return any(
            isinstance(p, hci.HCI_AclDataPacket) and p.data[2:5] == b"\x06\x00\x01" for p in packets
        )

    assert [pairs(), pairs()] == [True, False]
    bonds = tmp_path / "data" / "bonds.json"
    assert b"C0:FF:EE:00:00:01" in bonds.read_bytes()
    bonds.unlink()
    assert pairs()
