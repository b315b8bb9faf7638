# SPDX-License-Identifier: Apache-2.0
"""What a virtual device is made of: one frozen value that describes a board and its firmware."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ..faults import fault
from ..mcuboot import BootloaderMode

if TYPE_CHECKING:
    from ..image import ImageVersion, PublicKey

PLAYABLE_MODES = (
    BootloaderMode.SWAP_USING_MOVE,
    BootloaderMode.SWAP_USING_SCRATCH,
    BootloaderMode.SWAP_USING_OFFSET,
    BootloaderMode.OVERWRITE_ONLY,
    BootloaderMode.DIRECT_XIP,
    BootloaderMode.DIRECT_XIP_WITH_REVERT,
)


class Access(Enum):
    """What the SMP characteristic asks of a connection (`CONFIG_MCUMGR_TRANSPORT_BT_PERM_*`)."""

    OPEN = "open"
    ENCRYPTED = "encrypted"
    AUTHENTICATED = "authenticated"


@dataclass(frozen=True)
class SlotProfile:
    """One slot: image number, 0 primary or 1 secondary, address and size in bytes."""

    image: int
    index: int
    address: int
    size: int


@dataclass(frozen=True)
class ServerProfile:
    """How the SMP server was built; the defaults are those of Zephyr 3.5 with CAF's module.

    `buf_size` bytes and `buf_count` are MCUmgr's buffers (`CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE`,
    `_COUNT`); `reassembly` puts frames of several writes together
    (`CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY`). `os_group`, `info`, `parameters`, `bootloader_info`
    and `slot_info` are commands that a build has or not. With `size_limit`
    (`CONFIG_MCUMGR_GRP_IMG_TOO_LARGE_*`) slot information tells the size of the largest image that
    the bootloader can make run, and a larger one is refused at once. `image_check`
    (`CONFIG_IMG_ENABLE_IMAGE_CHECK`) adds `match` to the last answer of an upload. `version_2` is
    false up to Zephyr 3.3: answers are then SMP v1 whatever was asked, with that time's errors;
    `legacy_rc` adds ``rc: 0`` where an upload or an erase succeeds, as older trees do. With
    `whole_words` a chunk is cut to whole write blocks of the flash, as up to Zephyr 2.7.
    `erase_empty_fails`: in Zephyr 3.4 and 3.5 erasing an empty slot is answered with error 1.
    `allow_erase_pending` and `allow_confirm_inactive` are
    `CONFIG_MCUMGR_GRP_IMG_ALLOW_ERASE_PENDING` and `…_ALLOW_CONFIRM_NON_ACTIVE_SLOT`.
    With `upload_lock` a second client is told that the device is busy until the first was silent
    for so many seconds (nrf_desktop's DFU lock; CAF's module rejects nobody).
    `error_key` is ``err``; Zephyr 3.4 called it ``ret``. `block_buffer` bytes of an upload are
    collected before they are written (`CONFIG_IMG_BLOCK_BUF_SIZE`). `reset_delay` seconds pass
    between the answer to a reset and the reset (`CONFIG_MCUMGR_GRP_OS_RESET_MS`).
    """

    buf_size: int = 2475
    buf_count: int = 4
    reassembly: bool = True
    os_group: bool = True
    info: bool = True
    parameters: bool = True
    bootloader_info: bool = True
    slot_info: bool = False
    size_limit: bool = False
    image_check: bool = False
    reject_mismatched_slot: bool = False
    verbose_errors: bool = False
    frugal_list: bool = False
    legacy_rc: bool = False
    whole_words: bool = False
    version_1: bool = True
    version_2: bool = True
    erase_progressively: bool = False
    erase_empty_fails: bool = True
    allow_erase_pending: bool = False
    allow_confirm_inactive: bool = True
    error_key: str = "err"
    upload_lock: float | None = None
    compare_build_number: bool = False
    block_buffer: int = 512
    reset_delay: float = 0.25
    kernel_version: str = "3.5.0"
    board: str = "nrf52840dk_nrf52840"
    processor: str = "arm"


@dataclass(frozen=True)
class RadioProfile:
    """How the device shows itself.

    Its name, whether it advertises the SMP service (CAF's module does not), its largest ATT MTU in
    bytes, what the SMP characteristic asks for, and its random static address. A device that asks
    for authentication has a display, and shows `passkey` (6 digits) on it when it pairs.
    `wanted_interval` is the shortest and the longest connection interval in seconds that it asks
    for with the first request (`CONFIG_MCUMGR_TRANSPORT_BT_CONN_PARAM_CONTROL`).
    """

    name: str = "Virtual SMP"
    advertise_service: bool = False
    mtu: int = 498
    access: Access = Access.OPEN
    address: str = "C0:FF:EE:00:00:01"
    passkey: int = 271828
    wanted_interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class DeviceProfile:
    """Everything that makes up a virtual device.

    `factory` maps (image, slot index) to the image that was programmed in the factory, confirmed.
    `key` is the public key in the bootloader; with `None` it accepts images whose digest is right
    and whose key hash is that of the image that it runs. `max_sectors` is
    `CONFIG_BOOT_MAX_IMG_SECTORS`. `check_reset_vector` erases an image whose reset vector points
    out of the primary slot (`MCUBOOT_VERIFY_IMG_ADDRESS`, swap modes). `prevent_downgrade` is
    `MCUBOOT_DOWNGRADE_PREVENTION`, `compare_build_number` `BOOT_VERSION_CMP_USE_BUILD_NUMBER`;
    `validate_primary` is `BOOT_VALIDATE_SLOT0`: whether what runs is checked at every boot.
    `boot_time` is the seconds from the reset to the first advertisement, without flash operations;
    `erase_time` seconds for one sector, `write_time` seconds for one byte.
    """

    mode: BootloaderMode
    slots: tuple[SlotProfile, ...]
    factory: Mapping[tuple[int, int], bytes]
    key: PublicKey | None = None
    erase_block: int = 4096
    write_block: int = 4
    max_sectors: int = 128
    scratch: SlotProfile | None = None
    check_reset_vector: bool = True
    prevent_downgrade: bool = False
    compare_build_number: bool = False
    validate_primary: bool = True
    boot_time: float = 0.05
    erase_time: float = 0.0
    write_time: float = 0.0
    server: ServerProfile = field(default_factory=ServerProfile)
    radio: RadioProfile = field(default_factory=RadioProfile)

    def __post_init__(self) -> None:
        """Refuse what can't be played. Raises `DfuBleError` DV513."""
        if self.mode not in PLAYABLE_MODES:
            raise fault(
                "DV513",
                f"the virtual device can't play a bootloader in {self.mode.title} mode",
                helps=["modes that it plays: " + ", ".join(mode.title for mode in PLAYABLE_MODES)],
            )
        if self.mode is BootloaderMode.SWAP_USING_SCRATCH and self.scratch is None:
            raise fault(
                "DV513",
                "the bootloader swaps using scratch, and there is no scratch partition",
                helps=["give the build a scratch partition, or use swap using move"],
            )
        for image in self.images:
            if {slot.index for slot in self.slots if slot.image == image} != {0, 1}:
                raise fault("DV513", f"image {image} has not got a primary and a secondary slot")

    def compare(self, left: ImageVersion, right: ImageVersion) -> int:
        """Compare versions as the bootloader does: 1, 0 or -1."""
        if not self.compare_build_number:
            left, right = left.without_build, right.without_build
        return (left > right) - (left < right)

    @property
    def images(self) -> tuple[int, ...]:
        """The image numbers, in order."""
        return tuple(sorted({slot.image for slot in self.slots}))

    def slot(self, image: int, index: int) -> SlotProfile:
        """Return one slot."""
        return next(s for s in self.slots if (s.image, s.index) == (image, index))
