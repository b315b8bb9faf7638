# SPDX-License-Identifier: Apache-2.0
"""The air between two virtual Bluetooth controllers, and controllers that behave.

Bumble's own controller leaves out what real hosts rely on (checked with 0.0.236): LE Set PHY gets
no answer, LE Set Data Length fails, a connection attempt can't be cancelled, HCI Reset clears
nothing, and data is labelled with the sender's random address even where it connected with its
public one. `Air` and `AirController` put that right.
"""

from __future__ import annotations

import asyncio
from typing import Any

from bumble import core, hci, ll
from bumble.controller import Connection, Controller
from bumble.link import LocalLink

from .timing import HOST_PACKET, INTERVAL_UNIT

# The longest payload of a data channel packet, in bytes (Bluetooth Core 5.4, 6.B.2.4).
DATA_LENGTH = HOST_PACKET
_UNSUPPORTED = (
    hci.LeFeatureMask.LL_PRIVACY
    | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
)


class Air(LocalLink):
    """What carries packets from one controller to the others, at once and without loss."""

    def __init__(self, loss_delay: float = 0.0) -> None:
        """Make an air without any controller; see the property for `loss_delay`."""
        super().__init__()  # type: ignore[no-untyped-call]  # Bumble's has no annotations
        self._loss_delay = loss_delay

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        """Deliver data under the address that the sender's connection was made with."""
        sender = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if sender is not None and receiver is not None:
            asyncio.get_running_loop().call_soon(
                receiver.on_link_acl_data, sender.self_address, transport, data
            )

    def send_ll_control_pdu(
        self,
        sender_address: hci.Address,
        receiver_address: hci.Address,
        packet: ll.ControlPdu,
    ) -> None:
        """Deliver a control packet; one to a device that has vanished is lost."""
        if self.find_le_controller(receiver_address) is not None:
            super().send_ll_control_pdu(sender_address, receiver_address, packet)

    def carry(
        self, _controller: Controller, connection: Connection, packet: hci.HCI_AclDataPacket
    ) -> None:
        """Take data of a host; here it is through at once."""
        connection.on_hci_acl_data_packet(packet)

    def tune(
        self,
        connection: Connection,
        *,
        phy_2m: bool | None = None,
        octets: int | None = None,
        interval: float | None = None,
    ) -> None:
        """Take what the hosts agreed on (`interval` in s); an air without time does not care."""

    def ended(self, connection: Connection) -> None:
        """Forget what was agreed on for a connection that is no more."""

    @property
    def loss_delay(self) -> float:
        """Seconds until a device that vanished is missed."""
        return self._loss_delay

    async def close(self) -> None:
        """Stop whatever goes on by itself."""


class AirController(Controller):
    """A controller on an `Air`, with data length extension and the 2M PHY."""

    le_features = Controller.le_features & ~_UNSUPPORTED
    le_acl_data_packet_length = DATA_LENGTH
    total_num_le_acl_data_packets = 64
    supported_max_tx_octets = DATA_LENGTH
    supported_max_rx_octets = DATA_LENGTH
    supported_max_tx_time = 17040
    supported_max_rx_time = 17040

    def __init__(self, name: str, air: Air, address: str) -> None:
        """Join `air`; `address` is the public address."""
        super().__init__(name, link=air, public_address=address)
        self._air = air

    def leave(self, reason: int = hci.HCI_CONNECTION_TIMEOUT_ERROR) -> None:
        """Vanish from the air: peers lose their connections for `reason`, with no word before."""
        self._forget(reason)
        if self.link is not None and self in self.link.controllers:
            self.link.remove_controller(self)
        self.hci_sink = None

    def _forget(self, reason: int) -> None:
        self.le_legacy_advertiser.stop()
        self.le_scan_enable = False
        self.pending_le_connection = None
        for connection in list(self.le_connections.values()):
            peer = self._peer_of(connection)
            if peer is not None:
                self._miss(*peer, reason)
        self.le_connections.clear()

    def _miss(self, controller: Controller, connection: Connection, reason: int) -> None:
        """Let a peer miss this controller, when its supervision timeout is over."""

        def missed() -> None:
            if connection in controller.le_connections.values():
                controller.on_le_disconnected(connection, reason)

        if self._air.loss_delay:
            asyncio.get_running_loop().call_later(self._air.loss_delay, missed)
        else:
            missed()

    def _peer_of(self, connection: Connection) -> tuple[Controller, Connection] | None:
        for controller in self.link.controllers if self.link is not None else ():
            other = controller.le_connections.get(connection.self_address)
            if other is not None and other.self_address == connection.peer_address:
                return controller, other
        return None

    def on_ll_control_pdu(self, sender_address: hci.Address, packet: ll.ControlPdu) -> None:
        """Take a control packet; one for a connection that has just ended means nothing."""
        if sender_address in self.le_connections:
            super().on_ll_control_pdu(sender_address, packet)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Take data of the host; data for a connection that has just ended is lost."""
        connection = self.find_le_connection_by_handle(packet.connection_handle)
        if connection is not None:
            self._air.carry(self, connection, packet)

    def on_hci_reset_command(
        self, _command: hci.HCI_Reset_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Clear the controller's state (Bluetooth Core 5.4, 4.E.7.3.2)."""
        self._forget(hci.HCI_CONNECTION_TIMEOUT_ERROR)
        return super().on_hci_reset_command(_command)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        """End a connection; one that is gone is an error, not a crash."""
        if self.find_connection_by_handle(command.connection_handle) is None:
            self._send_hci_command_status(
                hci.HCI_UNKNOWN_CONNECTION_IDENTIFIER_ERROR, command.op_code
            )
            return
        super().on_hci_disconnect_command(command)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Give up a connection attempt (4.E.7.8.13)."""
        if self.pending_le_connection is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        address = self.pending_le_connection.peer_address
        self.pending_le_connection = None
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=address.address_type,
                peer_address=address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        """End a connection; the next one with that device begins anew."""
        super().on_le_disconnected(connection, reason)
        self._air.ended(connection)

    def on_hci_le_connection_update_command(
        self, command: hci.HCI_LE_Connection_Update_Command
    ) -> None:
        """Change the interval (4.E.7.8.18) to the longest that the host allows."""
        connection = self.find_le_connection_by_handle(command.connection_handle)
        if connection is not None:
            interval = command.connection_interval_max * INTERVAL_UNIT
            self._air.tune(connection, interval=interval)
        super().on_hci_le_connection_update_command(command)

    def on_hci_le_set_data_length_command(self, command: hci.HCI_LE_Set_Data_Length_Command) -> Any:
        """Agree on longer packets (4.E.7.8.33); both sides are told."""
        connection = self.find_le_connection_by_handle(command.connection_handle)
        status = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
        if connection is not None:
            status = hci.HCI_ErrorCode.SUCCESS
            self._air.tune(connection, octets=command.tx_octets)
            self._tell_both(
                connection,
                lambda handle: hci.HCI_LE_Data_Length_Change_Event(
                    connection_handle=handle,
                    max_tx_octets=min(command.tx_octets, DATA_LENGTH),
                    max_tx_time=command.tx_time,
                    max_rx_octets=min(command.tx_octets, DATA_LENGTH),
                    max_rx_time=command.tx_time,
                ),
            )
        return hci.HCI_StatusAndConnectionHandleReturnParameters(
            status=status, connection_handle=command.connection_handle
        )

    def on_hci_le_set_phy_command(self, command: hci.HCI_LE_Set_PHY_Command) -> None:
        """Change the PHY (4.E.7.8.49) to 2M where the host prefers it, else 1M."""
        connection = self.find_le_connection_by_handle(command.connection_handle)
        if connection is None:
            self._send_hci_command_status(
                hci.HCI_UNKNOWN_CONNECTION_IDENTIFIER_ERROR, command.op_code
            )
            return
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        phy = hci.Phy.LE_2M if command.tx_phys & hci.PhyBit.LE_2M else hci.Phy.LE_1M
        self._air.tune(connection, phy_2m=phy == hci.Phy.LE_2M)
        self._tell_both(
            connection,
            lambda handle: hci.HCI_LE_PHY_Update_Complete_Event(
                status=hci.HCI_SUCCESS, connection_handle=handle, tx_phy=phy, rx_phy=phy
            ),
        )

    def _tell_both(self, connection: Connection, event: Any) -> None:
        self.send_hci_packet(event(connection.handle))
        peer = self._peer_of(connection)
        if peer is not None:
            peer[0].send_hci_packet(event(peer[1].handle))
