# SPDX-License-Identifier: Apache-2.0
"""`west dfu-ble` through the real west: found, described, run, and its exit status arrives."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sample_builds import copy_tiny
from west_dfu_ble import __version__, cli
from west_workspace import REPOSITORY, Workspace


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A copy of the swap sample, in a folder whose name has a space."""
    return copy_tiny(tmp_path / "my samples") / "build-swap"


def test_west_lists_the_command_with_the_help_of_its_file(workspace: Workspace) -> None:
    command = yaml.safe_load((REPOSITORY / "west-commands.yml").read_text())["west-commands"][0]
    result = workspace.west("help")
    assert result.status == 0, result.err
    listed = [line for line in result.out.splitlines() if line.strip().startswith("dfu-ble:")]
    assert [line.split(None, 1)[1] for line in listed] == [command["commands"][0]["help"]]


def test_the_command_of_a_project_that_is_not_active_works(tmp_path: Path) -> None:
    # An SDK without `west packages` refuses zephyr/module.yml. There the project is not active:
    # the build, which asks west for active projects, does not see it, and the command is there.
    workspace = Workspace.make(tmp_path, active=False)
    assert "west-dfu-ble" not in workspace.west("list").out
    assert workspace.west("dfu-ble", "--version").out == f"dfu-ble {__version__}\n"


@pytest.mark.parametrize("arguments", [("help", "dfu-ble"), ("dfu-ble", "-h")])
def test_help_is_that_of_the_command_line(workspace: Workspace, arguments: tuple[str, ...]) -> None:
    result = workspace.west(*arguments)
    assert result.status == 0, result.err
    assert result.err == ""
    assert result.out.startswith("usage: west dfu-ble [-h]")
    assert cli.DESCRIPTION.strip() in result.out
    assert cli.EPILOG.strip() in result.out
    for action, described in cli.ACTIONS.items():
        assert f"  {action} " in result.out
        assert described.help.split()[0] in result.out


@pytest.mark.parametrize("action", cli.ACTIONS)
def test_help_of_each_action(workspace: Workspace, action: str) -> None:
    result = workspace.west("dfu-ble", action, "--help")
    assert result.status == 0, result.err
    assert result.out.startswith(f"usage: west dfu-ble {action} [-h]")
    assert cli.ACTIONS[action].help in result.out


def test_version(workspace: Workspace) -> None:
    result = workspace.west("dfu-ble", "--version")
    assert (result.status, result.out) == (0, f"dfu-ble {__version__}\n")


def test_status_0_and_json_alone_on_standard_output(workspace: Workspace, build: Path) -> None:
    for verbosity in ([], ["-v"]):
        result = workspace.west(*verbosity, "dfu-ble", "check", "-d", build, "--format", "json")
        assert result.status == 0, result.err
        assert json.loads(result.out)


def test_status_2_wrong_usage(workspace: Workspace) -> None:
    for wrong in (["chek"], ["check", "--form", "json"], ["check", "surplus"]):
        result = workspace.west("dfu-ble", *wrong)
        assert result.status == 2, result.err
        assert "usage: west" in result.err


def test_status_3_findings(workspace: Workspace, build: Path) -> None:
    config = build / "zephyr" / ".config"
    text = config.read_text()
    assert "CONFIG_CAF_BLE_SMP=y\n" in text
    config.write_text(text.replace("CONFIG_CAF_BLE_SMP=y\n", "# CONFIG_CAF_BLE_SMP is not set\n"))
    result = workspace.west("dfu-ble", "check", "-d", build, "--profile", "caf")
    assert result.status == 3, result.err
    assert "CAF_BLE_SMP" in result.out


@pytest.mark.parametrize("verbosity", [[], ["-v"], ["-vvv"]])
def test_status_4_no_build_directory(
    workspace: Workspace, tmp_path: Path, verbosity: list[str]
) -> None:
    # At -vvv west turns its own fatal errors into status 1; ours must come through unchanged.
    result = workspace.west(*verbosity, "dfu-ble", "check", "-d", tmp_path / "nothing here")
    assert result.status == 4, result.err
    assert "error[EN00" in result.err
    assert "Traceback" not in result.err


def test_build_directory_is_found_in_the_current_folder(workspace: Workspace, build: Path) -> None:
    # As with `west build`: no -d, and the folder is outside of the application.
    inside = workspace.root / "application"
    shutil.copytree(build.parent, inside)
    (inside / "build-swap").rename(inside / "build")
    try:
        for cwd in (inside, inside / "build"):
            result = workspace.west("dfu-ble", "check", cwd=cwd)
            assert result.status == 0, result.err
    finally:
        shutil.rmtree(inside)


def test_no_destination_is_shared_with_west() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    cli.add_arguments(parser)
    (actions,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    parsers = [parser, *actions.choices.values()]
    mine = {a.dest for p in parsers for a in p._actions if not isinstance(a, argparse._HelpAction)}
    assert {"action", "build_dir", "link"} <= mine
    assert not mine & {"command", "help", "quiet", "verbose", "zephyr_base"}


def test_west_config_gives_defaults(build: Path) -> None:
    workspace = Workspace.make(build.parents[1] / "ws")
    for option, value in (("link", "virtual"), ("fail-on", "warning")):
        done = workspace.west("config", f"dfu-ble.{option}", value)
        assert done.status == 0, done.err
    result = workspace.west("dfu-ble", "status", "-d", build, "--speed", "max")
    assert result.status == 0, result.err
    workspace.west("config", "dfu-ble.fail-on", "never")
    refused = workspace.west("dfu-ble", "check", "-d", build)
    assert refused.status == 2
    assert "`dfu-ble.fail-on` is `never`" in refused.err


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_west_packages_installs_is_enough(build: Path, tmp_path: Path) -> None:
    # `west packages pip --install` is Zephyr's; it gives this file to pip, of west's own Python.
    workspace = Workspace.make(tmp_path / "ws")
    module = yaml.safe_load((workspace.module / "zephyr" / "module.yml").read_text())
    (listed,) = module["package-managers"]["pip"]["requirement-files"]
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=100)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip = [python, "-m", "pip", "install", "-q", "west", "-r", workspace.module / listed]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=450, check=False)
    if done.returncode:
        pytest.skip(f"pip could not install: {done.stderr.strip()[-200:]}")
    whole = ("-d", build, "--link", "virtual", "--speed", "max")
    result = workspace.west("dfu-ble", *whole, python=str(python))
    assert result.status == 0, result.err
    assert result.last_line.startswith("the device runs 1.2.0 ")
