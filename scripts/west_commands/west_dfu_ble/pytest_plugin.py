# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: rehearse a build's update in one's own tests, see docs/pytest-plugin.md.

pytest imports this module in every run of an environment that has the package (entry point
`pytest11`), so it imports nothing but pytest; the rest comes with the first fixture that is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from .diagnostics import DfuBleError
    from .rehearsal import Rehearsal
    from .virtual import BackgroundDevice, Fault

_NO_BUILD = (
    "which build? Give its directory with --dfu-build DIR, or as `dfu_build = DIR` in pytest.ini "
    "(or pyproject.toml), or override the fixture `dfu_build`"
)


class MakeVirtualDevice(Protocol):
    """What the fixture `make_virtual_device` is."""

    def __call__(
        self,
        *,
        running: Path | str | bytes | None = None,
        version: str | None = None,
        faults: tuple[Fault | str, ...] = (),
        speed: float | None = None,
    ) -> BackgroundDevice:
        """Make a device of the build; it is switched off behind the test.

        `running` is the image that it runs (default: `dfu_from`, else this application with
        `version`, itself by default the next lower one). `faults` as on the command line, with
        numbers: ``"disconnect@12"``. With `speed` the air takes the time of a real radio, so much
        faster; without, none.
        """


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the plugin's options."""
    group = parser.getgroup("dfu-ble", "firmware updates over Bluetooth LE (west-dfu-ble)")
    group.addoption(
        "--dfu-build",
        metavar="DIR",
        help="the finished build directory whose update is rehearsed (default: dfu_build of the "
        "configuration)",
    )
    group.addoption(
        "--dfu-from",
        metavar="FILE|ZIP",
        help="the image or package that the field runs now (default: dfu_from of the "
        "configuration, else this application with a lower version)",
    )
    parser.addini("dfu_build", "the build directory, relative to this file", type="paths")
    parser.addini("dfu_from", "the image that the field runs now", type="paths")


@pytest.fixture(scope="session")
def dfu_build(pytestconfig: pytest.Config) -> Path:
    """The build directory: ``--dfu-build``, or `dfu_build` of the configuration.

    Override it to have another one for a module, or one for each parameter.
    """
    found = _path(pytestconfig, "dfu_build")
    if found is None:
        pytest.fail(_NO_BUILD, pytrace=False)
    return found


@pytest.fixture(scope="session")
def dfu_from(pytestconfig: pytest.Config) -> Path | None:
    """The image or package that the field runs now; `None`: this application, one version lower."""
    return _path(pytestconfig, "dfu_from")


@pytest.fixture(scope="session")
def _dfu_rehearsals() -> dict[tuple[Path, Path | None], Rehearsal]:
    """Those that were made already: each reads its build, and measures a clean run, once."""
    return {}


@pytest.fixture
def rehearsal(
    dfu_build: Path,
    dfu_from: Path | None,
    _dfu_rehearsals: dict[tuple[Path, Path | None], Rehearsal],
) -> Rehearsal:
    """The update of the build against a virtual device made from it.

    ``rehearsal.with_fault("disconnect", at="upload").update()`` plays it once, on a device of its
    own, and returns how it ended.
    """
    from .diagnostics import DfuBleError
    from .rehearsal import Rehearsal

    known = dfu_build, dfu_from
    if known not in _dfu_rehearsals:
        try:
            _dfu_rehearsals[known] = Rehearsal.from_build(dfu_build, running=dfu_from)
        except DfuBleError as error:
            _fail(error)
    return _dfu_rehearsals[known]


@pytest.fixture
def make_virtual_device(dfu_build: Path, dfu_from: Path | None) -> Iterator[MakeVirtualDevice]:
    """Makes devices for other programs to update; see `MakeVirtualDevice`."""
    from .builddir import load
    from .diagnostics import DfuBleError
    from .virtual import BackgroundDevice, parse_fault, profile_from_build

    devices: list[BackgroundDevice] = []

    def make(
        *,
        running: Path | str | bytes | None = None,
        version: str | None = None,
        faults: tuple[Fault | str, ...] = (),
        speed: float | None = None,
    ) -> BackgroundDevice:
        given = running or (None if version else dfu_from)
        try:
            field = Path(given) if isinstance(given, str) else given
            profile = profile_from_build(load(dfu_build), field, version=version)
        except DfuBleError as error:
            _fail(error)
        parsed = [parse_fault(fault) if isinstance(fault, str) else fault for fault in faults]
        devices.append(BackgroundDevice(profile, faults=parsed, speed=speed))
        return devices[-1]

    yield make
    for device in devices:
        device.close()


@pytest.fixture
def virtual_device(make_virtual_device: MakeVirtualDevice) -> BackgroundDevice:
    """A device of the build for another program to update: `hci_address`, or `udp_address`."""
    return make_virtual_device()


def _path(config: pytest.Config, name: str) -> Path | None:
    given: str | None = config.getoption(name)
    if given is not None:
        return config.invocation_params.dir / given
    found: list[Any] = config.getini(name)
    return Path(found[0]) if found else None


def _fail(error: DfuBleError) -> None:
    from .report.diagnostic import render_diagnostic

    pytest.fail(render_diagnostic(error.diagnostic, colour=False), pytrace=False)
