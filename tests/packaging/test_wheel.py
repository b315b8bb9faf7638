# SPDX-License-Identifier: Apache-2.0
"""The wheel and the source distribution, built, installed into a clean environment, and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from sample_builds import copy_tiny
from west_dfu_ble import __version__

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "scripts" / "west_commands" / "west_dfu_ble"
BIN = "Scripts" if os.name == "nt" else "bin"

# Fails the process as soon as it opens a file of the checkout.
GUARD = """\
import runpy, sys
sources = sys.argv.pop(1)
def refuse(event, arguments):
    if event == "open" and str(arguments[0]).startswith(sources):
        raise RuntimeError(f"read from the sources: {arguments[0]}")
sys.addaudithook(refuse)
runpy.run_module("west_dfu_ble", run_name="__main__", alter_sys=True)
"""


def run(*command: object, cwd: Path, status: int = 0) -> str:
    """Run a program outside of the checkout and return what it printed."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**inherited, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=500,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packaging")


@pytest.fixture(scope="module")
def environment(folder: Path) -> Path:
    """A clean environment; without access to PyPI there is nothing to test with."""
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    python = folder / "venv" / BIN / "python"
    found = subprocess.run(
        [python, "-m", "pip", "download", "-q", "--no-deps", "-d", folder / "x", "hatchling"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if found.returncode:
        pytest.skip(f"no access to PyPI: {found.stderr.strip()[-200:]}")
    return folder / "venv" / BIN


@pytest.fixture(scope="module")
def wheel(folder: Path, environment: Path) -> Path:
    """The wheel, built from the checkout."""
    pip = [environment / "python", "-m", "pip", "wheel", "-q", "--no-deps"]
    run(*pip, "-w", folder / "wheel", REPOSITORY, cwd=folder)
    (built,) = (folder / "wheel").iterdir()
    return built


@pytest.fixture(scope="module")
def installed(environment: Path, wheel: Path, folder: Path) -> Path:
    """The programs of an environment that has the wheel and what it depends on, nothing more."""
    run(environment / "python", "-m", "pip", "install", "-q", wheel, cwd=folder)
    return environment


def members(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_wheel_holds_the_package_its_data_and_the_schemas(wheel: Path) -> None:
    assert wheel.name == f"west_dfu_ble-{__version__}-py3-none-any.whl"
    # What tools leave there (__pycache__, .mypy_cache) does not belong to it.
    inside = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_file()]
    expected = {
        f"west_dfu_ble/{path.as_posix()}"
        for path in inside
        if not path.parts[0].startswith(".") and "__pycache__" not in path.parts
    }
    expected |= {f"west_dfu_ble/schemas/{path.name}" for path in (REPOSITORY / "schemas").iterdir()}
    assert {"west_dfu_ble/py.typed", "west_dfu_ble/rules/catalogue.yml"} <= expected
    found = members(wheel)
    assert {name for name in found if ".dist-info/" not in name} == expected
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in found)


def test_source_distribution_gives_the_same_wheel(
    folder: Path, environment: Path, wheel: Path
) -> None:
    run(sys.executable, "-m", "venv", folder / "builder", cwd=folder)
    python = folder / "builder" / BIN / "python"
    run(python, "-m", "pip", "install", "-q", "build", cwd=folder)
    run(python, "-m", "build", "--outdir", folder / "dist", REPOSITORY, cwd=folder)

    (from_sdist,) = (folder / "dist").glob("*.whl")
    assert contents(from_sdist) == contents(wheel)
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    # Enough to run the tests from it, too.
    assert {
        *("west-commands.yml", "zephyr/module.yml", "scripts/requirements.txt", "LICENSE"),
        *("tests/packaging/test_wheel.py", "schemas/report.json", "docs/rules/KC150.md"),
    } <= names


def test_script_of_the_installed_wheel(installed: Path, folder: Path) -> None:
    assert run(installed / "dfu-ble", "--version", cwd=folder) == f"dfu-ble {__version__}\n"
    assert "KC1" in run(installed / "dfu-ble", "explain", cwd=folder)
    usage = run(installed / "python", "-I", "-m", "west_dfu_ble", "--help", cwd=folder)
    assert usage.startswith("usage: dfu-ble [-h]")
    run(installed / "dfu-ble", "check", "-d", "nothing here", cwd=folder, status=4)


@pytest.mark.parametrize("sample", ["build-swap", "build-direct-xip"])
def test_main_job_with_the_sources_out_of_reach(installed: Path, folder: Path, sample: str) -> None:
    copy_tiny(folder / sample / "tiny")
    guarded = [installed / "python", "-I", "-c", GUARD, REPOSITORY]
    build = ["-d", folder / sample / "tiny" / sample]
    run(*guarded, "check", *build, cwd=folder)
    last_line = run(*guarded, *build, "--link", "virtual", cwd=folder).splitlines()[-1]
    assert "runs" in last_line


def test_the_pytest_plugin_of_the_installed_wheel(installed: Path, folder: Path) -> None:
    run(installed / "python", "-m", "pip", "install", "-q", "pytest", cwd=folder)
    shutil.copytree(
        REPOSITORY / "samples" / "pytest_rehearsal", folder / "samples/pytest_rehearsal"
    )
    copy_tiny(folder / "samples" / "tiny")
    pytest_there = [
        installed / "python",
        "-I",
        "-m",
        "pytest",
        "-q",
        folder / "samples/pytest_rehearsal",
    ]
    out = run(*pytest_there, "-k", "out_there or own_client", cwd=folder)
    assert "2 passed" in out
    assert "--dfu-build" not in run(*pytest_there[:4], "-p", "no:dfu-ble", "--help", cwd=folder)
