# SPDX-License-Identifier: Apache-2.0
"""One workspace for the tests that only read it."""

from __future__ import annotations

import pytest

from west_workspace import Workspace


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose path has a space, as home folders have; not to be changed."""
    return Workspace.make(tmp_path_factory.mktemp("west") / "my work", "modules/dfu ble")
