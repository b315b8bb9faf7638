# SPDX-License-Identifier: Apache-2.0
"""What a finished build directory says about the update: frozen facts, each with its origin.

Nothing here reads a file. `builddir.load()` fills these in once; every other room takes them as
they are. A fact that the build does not give is `None` or absent, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from ..diagnostics import Location
from ..mcuboot import BootloaderMode


class Layout(Enum):
    """How the build directory is laid out, told from its files alone."""

    NCS_CHILD_IMAGE = "NCS child-image build"
    NCS_SYSBUILD = "NCS sysbuild build"
    ZEPHYR_SYSBUILD = "Zephyr sysbuild build"
    ZEPHYR = "plain Zephyr build"


class Role(Enum):
    """What an image of the build is for."""

    APPLICATION = "application"
    VARIANT = "variant"
    BOOTLOADER = "bootloader"
    NETWORK_CORE = "network core"
    OTHER = "other"


@dataclass(frozen=True)
class Symbol:
    """One Kconfig symbol as the build ended up with it.

    `value` is the text behind ``=`` (``y``, ``384``, ``0x200``; strings without their quotes), or
    ``n`` for a symbol written as ``# CONFIG_X is not set``.
    """

    name: str
    value: str
    location: Location


class Kconfig(Mapping[str, Symbol]):
    """The symbols of one `.config`, by full name (``CONFIG_BT``, ``SB_CONFIG_DFU_ZIP``)."""

    def __init__(self, path: Path, lines: Mapping[str, tuple[str, int]]) -> None:
        """Take `lines`: name -> (value, line number from 1) as read from `path`."""
        self.path = path
        self._lines = dict(lines)

    def __getitem__(self, name: str) -> Symbol:
        value, line = self._lines[name]
        return Symbol(name, value, Location(self.path, line))

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def is_on(self, name: str) -> bool:
        """Whether the symbol is ``y``; a symbol that is not there is off."""
        return self._lines.get(name, ("n", 0))[0] == "y"

    def text(self, name: str, default: str = "") -> str:
        """Return the symbol's value as written, or `default` if it is not there."""
        return self._lines.get(name, (default, 0))[0]

    def integer(self, name: str) -> int | None:
        """Return the symbol's value as a number (decimal or ``0x``), or `None` if it is none."""
        try:
            return int(self._lines[name][0], 0)
        except (KeyError, ValueError):
            return None

    def where(self, name: str) -> Location:
        """Return the symbol's line, or the file as a whole if the symbol is not there."""
        entry = self._lines.get(name)
        return Location(self.path, entry[1] if entry else None)


@dataclass(frozen=True)
class Figure:
    """A number (bytes or an address) and the place that it was read from."""

    value: int
    location: Location


@dataclass(frozen=True)
class FlashRegion:
    """A flash memory; sizes in bytes. `erase_block` and `write_block` are `None` if not told."""

    name: str
    address: int
    size: int
    erase_block: int | None
    write_block: int | None
    location: Location


@dataclass(frozen=True)
class Partition:
    """A named stretch of a flash region, slot or not."""

    name: str
    address: Figure
    size: Figure
    region: str


@dataclass(frozen=True)
class Slot:
    """One of the two places of an image; `index` 0 is the primary, 1 the secondary slot.

    `address` is the slot's base: the MCUboot header's, not the vector table's.
    """

    image: int
    index: int
    name: str
    address: Figure
    size: Figure
    region: str

    @property
    def title(self) -> str:
        """``primary`` or ``secondary``."""
        return "secondary" if self.index else "primary"


@dataclass(frozen=True)
class Image:
    """One image of the build: a binary with its own configuration.

    `number` is MCUboot's image number, `None` for the bootloader and for images that MCUboot does
    not update. `directory` is the image's own build folder, the one with `zephyr/` in it.
    """

    name: str
    role: Role
    number: int | None
    directory: Path
    kconfig: Kconfig
    elf: Path | None
    application_source: Path | None


@dataclass(frozen=True)
class ModeFact:
    """A bootloader mode and the symbol that says so."""

    mode: BootloaderMode
    location: Location


class SignatureType(Enum):
    """How images are signed, as MCUboot was built."""

    NONE = "none"
    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    ECDSA_P256 = "ECDSA P-256"
    ECDSA_P384 = "ECDSA P-384"
    ED25519 = "ED25519"


@dataclass(frozen=True)
class SigningKey:
    """The key file as the build names it.

    `setting` is what the configuration says; `path` is what that means on this machine, and
    `exists` whether such a file is here (a key that is not is a fact, not an error). `tried` are
    the places where a relative setting was looked for.
    """

    setting: str
    path: Path | None
    exists: bool
    location: Location
    tried: tuple[Path, ...] = ()


class ArtifactKind(Enum):
    """What a file that the build made is for."""

    UPDATE_IMAGE = "update image"
    PACKAGE = "package"


@dataclass(frozen=True)
class Artifact:
    """An update image or package that the build directory already holds.

    `image` and `slot` say which image number and slot index an update image is linked for;
    both are `None` for a package.
    """

    kind: ArtifactKind
    path: Path
    image: int | None = None
    slot: int | None = None


@dataclass(frozen=True)
class Build:
    """A finished build directory, read once.

    `key` signs the application; `bootloader_key` is the one that MCUboot was built to accept,
    which NCS 2.7 and later and upstream Zephyr name on their own. `domain_partitions` are those of
    other cores' flash, by Partition Manager's name for the domain (``CPUNET``).
    `devicetree_slots` are the slots as the application's devicetree has them, which with Partition
    Manager are not the real ones: those are in `slots`.
    """

    path: Path
    layout: Layout
    board: str
    zephyr_version: str | None
    ncs_version: str | None
    images: tuple[Image, ...]
    slots: tuple[Slot, ...]
    partitions: tuple[Partition, ...]
    flash: tuple[FlashRegion, ...]
    header_size: Figure | None
    write_block: Figure | None
    mode_built: ModeFact | None
    mode_believed: ModeFact | None
    signature_type: SignatureType | None
    key: SigningKey | None
    version: str | None
    version_location: Location | None
    sysbuild: Kconfig | None
    artifacts: tuple[Artifact, ...]
    bootloader_key: SigningKey | None = None
    domain_partitions: Mapping[str, tuple[Partition, ...]] = field(default_factory=dict)
    devicetree_slots: tuple[Slot, ...] = ()

    @property
    def application(self) -> Image:
        """The application image; every build has one."""
        return next(i for i in self.images if i.role is Role.APPLICATION)

    @property
    def variant(self) -> Image | None:
        """The same application linked for the secondary slot (direct-xip), if it was built."""
        return next((i for i in self.images if i.role is Role.VARIANT), None)

    @property
    def bootloader(self) -> Image | None:
        """MCUboot's own image, if it is part of this build."""
        return next((i for i in self.images if i.role is Role.BOOTLOADER), None)

    @property
    def mode(self) -> BootloaderMode | None:
        """The mode that decides: MCUboot's own, or what the application believes without it."""
        fact = self.mode_built or self.mode_believed
        return fact.mode if fact else None

    def slot(self, index: int, image: int = 0) -> Slot | None:
        """Return the primary (0) or secondary (1) slot of an image, if the build has it."""
        return next((s for s in self.slots if s.image == image and s.index == index), None)
