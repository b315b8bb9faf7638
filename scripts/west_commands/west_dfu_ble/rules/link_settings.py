# SPDX-License-Identifier: Apache-2.0
"""The speed of an upload to this build: what its configuration means for the model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..builddir import ArtifactKind, Build, Kconfig, Role
from .generation import Generation
from .upload_time import Link, bytes_per_second

TRANSPORTS = ("CONFIG_MCUMGR_TRANSPORT_BT", "CONFIG_MCUMGR_SMP_BT")
# Zephyr's own values where the configuration is silent.
_MTU, _ACL_SIZE, _PACKET_SIZE = 23, 27, 27
_BUFFER_SIZE, _BUFFER_COUNT = 384, 4
_PREFERRED_INTERVAL = 40
# What a host takes that was asked for nothing; also the default of Zephyr's preferred parameters.
_INTERVAL_UNIT = 1.25
# An image of this size stands for one that is not there yet.
NOMINAL_SIZE = 200_000


@dataclass(frozen=True)
class Names:
    """The names of the options in one generation."""

    reassembly: str
    buffer_size: str
    buffer_count: str
    parameters: str
    connection_control: str


_OLD = Names(
    "CONFIG_MCUMGR_SMP_REASSEMBLY_BT",
    "CONFIG_MCUMGR_BUF_SIZE",
    "CONFIG_MCUMGR_BUF_COUNT",
    "CONFIG_OS_MGMT_MCUMGR_PARAMS",
    "CONFIG_MCUMGR_SMP_BT_CONN_PARAM_CONTROL",
)
_NEW = Names(
    "CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY",
    "CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE",
    "CONFIG_MCUMGR_TRANSPORT_NETBUF_COUNT",
    "CONFIG_MCUMGR_GRP_OS_MCUMGR_PARAMS",
    "CONFIG_MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL",
)


def names_of(generation: Generation | None) -> Names:
    """Return the names in `generation`; the newest if it is not known."""
    return _OLD if generation in (Generation.OLD, Generation.MIXED) else _NEW


def link_of(build: Build, generation: Generation | None) -> Link:
    """Return what the configuration gives a host that knows this build."""
    kconfig = build.application.kconfig
    names = names_of(generation)
    interval = _interval(kconfig, names)
    event = kconfig.integer("CONFIG_BT_CTLR_SDC_MAX_CONN_EVENT_LEN_DEFAULT")
    return Link(
        att_mtu=att_mtu(kconfig),
        buffer_size=kconfig.integer(names.buffer_size) or _BUFFER_SIZE,
        reassembly=kconfig.is_on(names.reassembly),
        window=window(kconfig.integer(names.buffer_count) or _BUFFER_COUNT),
        packet_size=packet_size(build),
        interval=interval,
        event=min(interval, event / 1000) if event else interval,
    )


def window(buffers: int) -> int:
    """Return how many requests may be under way: requests and answers share the buffers."""
    return max(1, buffers - 2)


def att_mtu(kconfig: Kconfig) -> int:
    """Return the largest ATT MTU that the device agrees to."""
    own = kconfig.integer("CONFIG_BT_L2CAP_TX_MTU") or _MTU
    received = (kconfig.integer("CONFIG_BT_BUF_ACL_RX_SIZE") or _ACL_SIZE) - 4
    return max(_MTU, min(own, received))


def controller(build: Build) -> Kconfig | None:
    """Return the configuration of the Bluetooth controller; `None` if it is not in this build."""
    application = build.application.kconfig
    if application.is_on("CONFIG_BT_CTLR") or application.is_on("CONFIG_BT_LL_SOFTDEVICE"):
        return application
    network = next((i for i in build.images if i.role is Role.NETWORK_CORE), None)
    return network.kconfig if network else None


def packet_size(build: Build) -> int:
    """Return the longest link packet that the controller takes; 251 if it is not in this build."""
    kconfig = controller(build)
    if kconfig is None:
        return 251
    return kconfig.integer("CONFIG_BT_CTLR_DATA_LENGTH_MAX") or _PACKET_SIZE


def _interval(kconfig: Kconfig, names: Names) -> float:
    if kconfig.is_on(names.connection_control):
        units = kconfig.integer(f"{names.connection_control}_MAX_INT") or 9
    else:
        units = kconfig.integer("CONFIG_BT_PERIPHERAL_PREF_MAX_INT") or _PREFERRED_INTERVAL
    return units * _INTERVAL_UNIT


def image_size(build: Build) -> int | None:
    """Return the size of the application's update image in bytes, or of its binary."""
    candidates = [
        artifact.path
        for artifact in build.artifacts
        if artifact.kind is ArtifactKind.UPDATE_IMAGE and not artifact.image and not artifact.slot
    ]
    application = build.application
    name = application.kconfig.text("CONFIG_KERNEL_BIN_NAME", "zephyr")
    candidates.append(application.directory / "zephyr" / f"{name}.bin")
    for path in candidates:
        try:
            return path.stat().st_size
        except OSError:
            continue
    return None


@dataclass(frozen=True)
class Gain:
    """How long the upload takes, in seconds, as it is and with another setting."""

    size: int
    before: float
    after: float

    @property
    def is_worth_it(self) -> bool:
        """Whether it saves a twentieth or more."""
        return self.after <= self.before * 0.95

    @property
    def text(self) -> str:
        """The gain in words."""
        return (
            f"an upload of {self.size / 1000:.0f} kB would take about {self.after:.0f} s on the "
            f"air instead of {self.before:.0f} s"
        )


def gain(build: Build, before: Link, **changes: object) -> Gain:
    """Return what the `changes` of a `Link` would save on this build's image."""
    size = image_size(build) or NOMINAL_SIZE
    after = replace(before, **changes)  # type: ignore[arg-type]  # each rule changes its own
    return Gain(size, size / bytes_per_second(before), size / bytes_per_second(after))
