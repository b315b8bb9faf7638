# SPDX-License-Identifier: Apache-2.0
"""Keys of every type that MCUboot takes, made by imgtool for this run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from west_dfu_ble.builddir import SignatureType

_GENERATORS = {
    SignatureType.RSA_2048: "rsa-2048",
    SignatureType.RSA_3072: "rsa-3072",
    SignatureType.ECDSA_P256: "ecdsa-p256",
    SignatureType.ECDSA_P384: "ecdsa-p384",
    SignatureType.ED25519: "ed25519",
}


class MadeKeys(Mapping[SignatureType, Path]):
    """Private keys by type, each made when it is first asked for: RSA keys take a while."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, kind: SignatureType) -> Path:
        from imgtool.main import keygens

        name = _GENERATORS[kind]
        path = self._folder / f"{name}.pem"
        if not path.is_file():
            keygens[name](str(path), None)
        return path

    def __iter__(self) -> Iterator[SignatureType]:
        return iter(_GENERATORS)

    def __len__(self) -> int:
        return len(_GENERATORS)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[SignatureType, Path]:
    """Private keys by type."""
    return MadeKeys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def other_keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[SignatureType, Path]:
    """Another private key of each type."""
    return MadeKeys(tmp_path_factory.mktemp("other-keys"))
