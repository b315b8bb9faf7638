# SPDX-License-Identifier: Apache-2.0
"""What every test is kept from: the configuration and the folders of the user who runs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest


@pytest.fixture(scope="session", autouse=True)
def no_configuration_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide `west config`, also that of a workspace that this checkout lies in."""
    nowhere = tmp_path_factory.mktemp("west") / "no-configuration"
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("SYSTEM", "GLOBAL", "LOCAL"):
            patch.setenv(f"WEST_CONFIG_{kind}", str(nowhere))
        yield


@pytest.fixture
def west_workspaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the configuration of a workspace be read, for a test that makes one; outside of any."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WEST_CONFIG_LOCAL")
    monkeypatch.delenv("ZEPHYR_BASE", raising=False)


@pytest.fixture(scope="session", autouse=True)
def no_folders_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep locks and bonds in a folder of this run; other caches (real peers) stay the user's."""
    own = tmp_path_factory.mktemp("user")

    def instead(kind: str) -> Any:
        real = getattr(platformdirs, kind)

        def path(name: str, *rest: Any, **options: Any) -> Path:
            found: Path = real(name, *rest, **options)
            return own / kind if name == "west-dfu-ble" else found

        return path

    with pytest.MonkeyPatch.context() as patch:
        for kind in ("user_cache_path", "user_data_path"):
            patch.setattr(platformdirs, kind, instead(kind))
        # For the programs that tests start; where it is not Linux, they have the user's.
        patch.setenv("XDG_DATA_HOME", str(own / "data"))
        yield
