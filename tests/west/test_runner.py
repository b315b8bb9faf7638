# SPDX-License-Identifier: Apache-2.0
"""`west flash -r dfu-ble`: the runner, driven as Zephyr's `west flash` drives it.

Zephyr is in no package registry. Where ``ZEPHYR_BASE`` names a tree (4.1 or later), its own
`runners.core` is used; everywhere else its published interface, as far as a runner sees it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from running import Result
from sample_builds import copy_tiny
from west_workspace import REPOSITORY, Workspace

# What Zephyr's documentation of `runners.core` promises to a runner out of its tree.
INTERFACE = """\
import abc, logging, subprocess
from dataclasses import dataclass
from typing import NamedTuple
@dataclass
class RunnerCaps:
    commands: set
    dev_id: bool = False
    tool_opt: bool = False
class RunnerConfig(NamedTuple):
    build_dir: str
class ZephyrBinaryRunner(abc.ABC):
    def __init__(self, cfg):
        self.cfg, self.logger = cfg, logging.getLogger("runners." + self.name())
    get_runners = staticmethod(lambda: ZephyrBinaryRunner.__subclasses__())
    name = classmethod(abc.abstractmethod(lambda cls: None))
    do_add_parser = classmethod(abc.abstractmethod(lambda cls, parser: None))
    do_create = classmethod(abc.abstractmethod(lambda cls, cfg, args: None))
    do_run = abc.abstractmethod(lambda self, command, **kwargs: None)
    @classmethod
    def add_parser(cls, parser):
        parser.add_argument("-i", "--dev-id", help=cls.dev_id_help())
        parser.add_argument("-f", "--file")
        parser.add_argument("-O", "--tool-opt", action="append", help=cls.tool_opt_help())
        parser.add_argument("--erase")
        parser.add_argument("--reset")
        cls.do_add_parser(parser)
    create = classmethod(lambda cls, cfg, args: cls.do_create(cfg, args))
    def run(self, command):
        assert command in self.capabilities().commands
        self.do_run(command)
    check_call = staticmethod(lambda command: subprocess.check_call(command))
"""

# As run_common.py of Zephyr does it, for one image of a build.
DRIVER = """\
import argparse, importlib.util, logging, subprocess, sys
sys.path.insert(0, sys.argv[1])
from runners.core import RunnerConfig, ZephyrBinaryRunner
logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
spec = importlib.util.spec_from_file_location("west-dfu-ble.dfu_ble_runner", sys.argv[2])
module = importlib.util.module_from_spec(spec)
sys.modules["west-dfu-ble.dfu_ble_runner"] = module
spec.loader.exec_module(module)
(cls,) = [one for one in ZephyrBinaryRunner.get_runners() if one.name() == "dfu-ble"]
parser = argparse.ArgumentParser(prog="dfu-ble", allow_abbrev=False)
cls.add_parser(parser)
args = parser.parse_args(sys.argv[4:])
values = {**dict.fromkeys(RunnerConfig._fields), "build_dir": sys.argv[3]}
try:
    cls.create(RunnerConfig(**values), args).run("flash")
except subprocess.CalledProcessError as error:
    sys.exit(error.returncode)
"""


@dataclass(frozen=True)
class Flash:
    """`west flash -r dfu-ble` for one image's folder."""

    workspace: Workspace
    runners: Path

    def __call__(self, image: Path, *options: object) -> Result:
        """Run the runner in the workspace."""
        runner = self.workspace.module / "scripts" / "dfu_ble_runner.py"
        driver = self.runners.parent / "driver.py"
        driver.write_text(DRIVER)
        zephyr = os.environ.get("ZEPHYR_BASE")
        return self.workspace.run(
            sys.executable,
            driver,
            self.runners,
            runner,
            image,
            *options,
            environment={"ZEPHYR_BASE": zephyr} if zephyr else None,
        )


@pytest.fixture(params=["interface", pytest.param("zephyr", marks=pytest.mark.peer)])
def flash(request: pytest.FixtureRequest, workspace: Workspace, tmp_path: Path) -> Flash:
    """The runner beside the interface that Zephyr documents, or beside Zephyr's own code."""
    runners = tmp_path / "west_commands"
    if request.param == "zephyr":
        own = Path(os.environ.get("ZEPHYR_BASE", ".")) / "scripts" / "west_commands"
        if not (own / "runners" / "core.py").is_file():
            pytest.skip("ZEPHYR_BASE names no Zephyr tree, which no registry has")
        shutil.copytree(own, runners)
        return Flash(workspace, runners)
    (runners / "runners").mkdir(parents=True)
    (runners / "runners" / "__init__.py").write_text("")
    (runners / "runners" / "core.py").write_text(INTERFACE)
    return Flash(workspace, runners)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return copy_tiny(tmp_path / "my samples")


def test_it_updates_the_device(flash: Flash, tiny: Path) -> None:
    result = flash(tiny / "build-swap", "--link", "virtual", "--tool-opt=--speed max --no-confirm")
    assert result.status == 0, result.err
    assert " on trial and will go back to " in result.out


def test_the_exit_status_arrives(flash: Flash, tiny: Path) -> None:
    result = flash(tiny / "build-swap", "--link", "serial:/dev/none", "-i", "My device")
    assert result.status == 6
    assert "/dev/none" in result.err


def test_of_a_sysbuild_build_the_application_brings_the_update(flash: Flash, tiny: Path) -> None:
    top = tiny / "build"
    (top / "mcuboot").mkdir(parents=True)
    (top / "app").mkdir()
    (top / "domains.yaml").write_text("default: app\n")
    skipped = flash(top / "mcuboot", "--link", "virtual")
    assert skipped.status == 0, skipped.err
    assert "mcuboot: nothing to do, app brings the update" in skipped.err
    # The command is given the whole build: it reads this file, which the application has not.
    whole = flash(top / "app", "--link", "virtual")
    assert whole.status == 4
    assert "`domains.yaml` has no list of domains" in whole.err


def test_the_build_system_is_told_of_it(tmp_path: Path) -> None:
    module = yaml.safe_load((REPOSITORY / "zephyr" / "module.yml").read_text())
    assert [(REPOSITORY / one["file"]).is_file() for one in module["runners"]] == [True]
    cmake = shutil.which("cmake")
    if cmake is None:
        pytest.skip("cmake is not installed")
    script = tmp_path / "zephyr.cmake"
    listing = REPOSITORY / module["build"]["cmake"] / "CMakeLists.txt"
    script.write_text(
        f'include("{listing.as_posix()}")\n'  # before Zephyr has the function: nothing
        "function(board_finalize_runner_args runner)\n"
        '  message(NOTICE "runner ${runner}")\n'
        "endfunction()\n"
        f'include("{listing.as_posix()}")\n'
    )
    done = subprocess.run(
        [cmake, "-P", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == "runner dfu-ble\n"
