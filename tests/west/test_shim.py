# SPDX-License-Identifier: Apache-2.0
"""The shim: which package it loads, and what it says where it can't."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from west_dfu_ble import __version__
from west_workspace import REPOSITORY, Workspace

WEST_COMMANDS = REPOSITORY / "scripts" / "west_commands"
SHIM = WEST_COMMANDS / "dfu_ble.py"


def install_old_wheel(folder: Path) -> Path:
    """Make a wheel of the package in an old version and let pip install it into a folder."""
    wheel = folder / "west_dfu_ble-0.0.1-py3-none-any.whl"
    info = "west_dfu_ble-0.0.1.dist-info"
    files = {
        "west_dfu_ble/__init__.py": '__version__ = "0.0.1"\n',
        "west_dfu_ble/cli.py": "raise SystemExit('the installed copy was loaded')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: west-dfu-ble\nVersion: 0.0.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        record = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
        archive.writestr(f"{info}/RECORD", record)
    target = folder / "installed"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", target, wheel], check=True, timeout=100)
    return target


def test_the_checkout_wins_over_an_installed_copy(workspace: Workspace, tmp_path: Path) -> None:
    installed = install_old_wheel(tmp_path)
    imported = subprocess.run(
        [sys.executable, "-c", "import west_dfu_ble; print(west_dfu_ble.__version__)"],
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert imported.stdout == "0.0.1\n"  # without the shim the copy is what Python finds

    result = workspace.west("dfu-ble", "--version", pythonpath=installed)

    assert __version__ != "0.0.1"
    assert (result.status, result.out) == (0, f"dfu-ble {__version__}\n"), result.err


def test_a_copy_that_is_loaded_already_is_named(workspace: Workspace, tmp_path: Path) -> None:
    installed = install_old_wheel(tmp_path)
    (installed / "sitecustomize.py").write_text("import west_dfu_ble\n")

    result = workspace.west("dfu-ble", "check", pythonpath=installed)

    assert result.status == 4
    assert result.err == (
        f"west dfu-ble: the package was loaded from {installed / 'west_dfu_ble' / '__init__.py'}, "
        f"not from {workspace.module / 'scripts' / 'west_commands'}\n"
    )


def test_a_missing_package_is_named_with_the_remedy(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'devicetree':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
    )
    build = REPOSITORY / "samples" / "tiny" / "build-swap"

    result = workspace.west("dfu-ble", "check", "-d", build, pythonpath=tmp_path)

    assert result.status == 4, result.out
    assert result.err.splitlines() == [
        "west dfu-ble: no Python package devicetree: `west packages pip --install`, or "
        f'`"{sys.executable}" -m pip install -r '
        f'"{workspace.module / "scripts" / "requirements.txt"}"`'
    ]


def old_python() -> str:
    """Return a Python 3.8 or 3.9, or skip; pyenv's shims want to be told the version."""
    for version in ("3.8", "3.9"):
        found = shutil.which(f"python{version}")
        if found:
            asked = [found, "-c", "import sys; print(sys.executable)"]
            environment = {**os.environ, "PYENV_VERSION": version}
            done = subprocess.run(
                asked, env=environment, capture_output=True, text=True, timeout=60, check=False
            )
            if done.returncode == 0:
                return done.stdout.strip()
    pytest.skip("neither python3.8 nor python3.9 is installed")


# As west 1.2 does it: the file is loaded by its path, the class made and asked for its arguments.
FAKE_WEST = """\
import argparse, importlib.util, sys, types
commands = types.ModuleType("west.commands")
class WestCommand:
    def __init__(self, name, help, description):
        self.name, self.help, self.description = name, help, description
commands.WestCommand = WestCommand
sys.modules["west"] = types.ModuleType("west")
sys.modules["west.commands"] = commands
spec = importlib.util.spec_from_file_location("west.commands.ext.cmd_0", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
module.DfuBle().do_add_parser(argparse.ArgumentParser().add_subparsers())
"""


def expected_refusal(module: Path) -> re.Pattern[str]:
    """The one line that an old Python gets."""
    return re.compile(
        r"west dfu-ble: needs Python 3\.10 or newer, and this west runs on 3\.[89]; install dfu-ble"
        r" into an environment of its own \(pipx install --python python3\.10 "
        + re.escape(f'"{module}"')
        + r"\) and call `dfu-ble` instead of `west dfu-ble`\n"
    )


def test_an_old_python_gets_one_line_with_the_remedy() -> None:
    python = old_python()
    done = subprocess.run(
        [python, "-B", "-c", FAKE_WEST, SHIM],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert expected_refusal(REPOSITORY).fullmatch(done.stderr), done.stderr


@pytest.mark.slow
def test_an_old_python_with_its_own_west(workspace: Workspace, tmp_path: Path) -> None:
    python = old_python()
    install_west(python, "1.2.0", tmp_path / "west")
    for arguments in (["check", "-d", "build"], ["--help"], []):
        result = workspace.west("dfu-ble", *arguments, python=python, pythonpath=tmp_path / "west")
        assert (result.status, result.out) == (4, "")
        assert expected_refusal(workspace.module).fullmatch(result.err), result.err


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.2.0", "1.3.0", "1.4.0", "1.5.0"])
def test_every_west_since_1_2(workspace: Workspace, tmp_path: Path, version: str) -> None:
    install_west(sys.executable, version, tmp_path)
    told = workspace.west("--version", pythonpath=tmp_path)
    assert f"v{version}" in told.out

    helped = workspace.west("help", "dfu-ble", pythonpath=tmp_path)
    assert helped.status == 0, helped.err
    assert helped.out.startswith("usage: west dfu-ble [-h]")
    wrong = workspace.west("-v", "dfu-ble", "chek", pythonpath=tmp_path)
    assert wrong.status == 2
    nothing = workspace.west("dfu-ble", "check", "-d", tmp_path / "x", pythonpath=tmp_path)
    assert nothing.status == 4, nothing.err


def install_west(python: str, version: str, target: Path) -> None:
    """Install one version of west from PyPI into a folder, or skip where there is no network."""
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--target", target, f"west=={version}"],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"pip could not install west {version}: {done.stderr.strip()[-200:]}")


def test_python_3_8_can_read_the_shim() -> None:
    tree = ast.parse(SHIM.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in tree.body
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == {"west"}
    assert len(SHIM.read_text(encoding="utf-8").splitlines()) <= 60


def test_the_shims_folder_holds_nothing_else() -> None:
    # It is the first place where Python looks, so another file there could hide a module.
    found = {path.name for path in WEST_COMMANDS.iterdir()} - {"__pycache__", "README.md"}
    assert found == {"dfu_ble.py", "west_dfu_ble"}


def test_the_files_that_name_each_other_agree() -> None:
    commands = yaml.safe_load((REPOSITORY / "west-commands.yml").read_text())["west-commands"]
    assert [entry["file"] for entry in commands] == ["scripts/west_commands/dfu_ble.py"]
    (command,) = commands[0]["commands"]
    classes = [node for node in ast.parse(SHIM.read_text()).body if isinstance(node, ast.ClassDef)]
    assert [node.name for node in classes] == [command["class"]]
    assert command["name"] == "dfu-ble"
    # The line that `west help` shows is the description until the package is loaded.
    assert f'super().__init__("dfu-ble", "", "{command["help"]}")' in SHIM.read_text()

    module = yaml.safe_load((REPOSITORY / "zephyr" / "module.yml").read_text())
    assert module["name"] == "west-dfu-ble"
    for name in module["package-managers"]["pip"]["requirement-files"]:
        assert (REPOSITORY / name).is_file()
