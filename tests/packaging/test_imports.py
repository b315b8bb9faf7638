# SPDX-License-Identifier: Apache-2.0
"""What is imported when: `check` starts fast because it never loads Bluetooth or imgtool."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sample_builds import copy_tiny

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE_FOLDER = REPOSITORY / "scripts" / "west_commands"

# The libraries that no build needs to be read, and asyncio, which they bring.
HEAVY = {
    *("asyncio", "bleak", "bumble", "cryptography", "imgtool", "jinja2", "pydantic"),
    *("rich", "serial", "smp"),
}
if sys.version_info >= (3, 14):
    HEAVY.remove("asyncio")  # pyelftools imports pdb, and that asyncio from this version on

PROGRAM = """\
import json, sys
sys.path.insert(0, sys.argv[1])
from west_dfu_ble import cli
before = sorted(sys.modules)
status = cli.main(sys.argv[2:]) if sys.argv[2:] else 0
print(json.dumps([status, before, sorted(sys.modules)]), file=sys.stderr)
"""


def run_and_list_modules(*arguments: object) -> tuple[int, set[str], set[str]]:
    """Run the command line alone in a process: status, modules after its import, and at the end."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, PACKAGE_FOLDER, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    status, before, after = json.loads(done.stderr.splitlines()[-1])
    return status, set(before), set(after)


def top(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_the_command_line_itself_needs_what_west_brings_alone() -> None:
    # The shim imports it before it can say that a package is missing.
    python = [sys.executable, "-I", "-c", "import sys, yaml; print(' '.join(sys.modules))"]
    west = subprocess.run(python, capture_output=True, text=True, timeout=100, check=True)
    _, imported, _ = run_and_list_modules()
    foreign = top(imported) - top(set(west.stdout.split())) - set(sys.stdlib_module_names)
    assert foreign == {"west_dfu_ble"}


@pytest.mark.parametrize("sample", ["build-swap", "build-direct-xip"])
@pytest.mark.parametrize("form", ["human", "json"])
def test_check_never_loads_bluetooth_or_imgtool(tmp_path: Path, sample: str, form: str) -> None:
    # As it was built: to verify images that are signed already takes cryptography.
    build = copy_tiny(tmp_path / "tiny") / sample
    status, _, imported = run_and_list_modules("check", "-d", build, "--format", form)
    assert status == 0
    assert "west_dfu_ble.rules" in imported
    assert top(imported) & HEAVY == set()
    rooms = {f"west_dfu_ble.{room}" for room in ("link", "smp", "update", "virtual")}
    assert imported & rooms == set()
