# SPDX-License-Identifier: Apache-2.0
"""The few kernel modules that Bluetooth and the machine's own ports need, in loading order."""

from __future__ import annotations

import lzma
from pathlib import Path

from elftools.elf.elffile import ELFFile

# What the Bluetooth core asks for by the name of an algorithm, while devices pair, has no
# dependency that could be read. A name that the kernel was built with is no file.
# ECDH takes its random numbers from DRBG, and tests itself when it is loaded.
_WANTED = """
virtio_pci virtio_console virtio_rng
aes_generic cmac ecb ctr ccm hmac sha256_generic sha512_generic
jitterentropy_rng drbg ecdh_generic
hci_vhci
"""


def copy_modules(source: Path, target: Path) -> list[str]:
    """Copy the modules wanted and all that they need; return their names in loading order.

    `source` is the kernel's folder of modules (`lib/modules/VERSION`).
    """
    files = {_name(path): path for path in sorted((source / "kernel").rglob("*.ko*"))}
    target.mkdir(parents=True)
    order: list[str] = []

    def add(name: str) -> None:
        path = files.get(name)
        if path is None or name in order:
            return
        data = path.read_bytes()
        if path.suffix == ".xz":
            data = lzma.decompress(data)
        copy = target / f"{name}.ko"
        copy.write_bytes(data)
        for needed in _dependencies(copy):
            add(needed)
        order.append(name)

    for name in _WANTED.split():
        add(name)
    assert "hci_vhci" in order, f"no module hci_vhci in {source}"
    return order


def _name(path: Path) -> str:
    return path.name.partition(".ko")[0].replace("-", "_")


def _dependencies(module: Path) -> list[str]:
    with module.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".modinfo")
        assert section is not None, f"{module.name} tells nothing of itself"
        lines = section.data().split(b"\0")
    listed = b",".join(line[8:] for line in lines if line.startswith(b"depends="))
    return [name.replace("-", "_") for name in listed.decode().split(",") if name]
