# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin, in a pytest of its own: the sample's tests, and what it says when it can't."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sample_builds import copy_tiny

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = REPOSITORY / "scripts" / "west_commands"
# The entry point is left out, since an environment may not have it yet; `test_wheel.py` tries it.
PLUGIN = ["-p", "west_dfu_ble.pytest_plugin", "-p", "no:cacheprovider"]


def run_pytest(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run pytest in `folder`, with no other plugin than ours."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *PLUGIN, *map(str, arguments)],
        cwd=folder,
        env={
            **inherited,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(PACKAGES),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    own = REPOSITORY / "samples" / "pytest_rehearsal"
    kept = shutil.ignore_patterns("__pycache__")
    shutil.copytree(own, tmp_path / "samples" / own.name, ignore=kept)
    copy_tiny(tmp_path / "samples" / "tiny")
    return tmp_path / "samples"


def test_the_sample_passes(samples: Path) -> None:
    before = sorted(samples.rglob("*"))
    done = run_pytest(samples / "pytest_rehearsal")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "16 passed" in done.stdout
    assert sorted(samples.rglob("*")) == before


def test_another_build_from_the_command_line(samples: Path) -> None:
    done = run_pytest(
        samples / "pytest_rehearsal",
        "--dfu-build",
        "../tiny/build-direct-xip",
        "-k",
        "out_there or stacks or own_client",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


TEST = """\
def test_one(rehearsal):
    result = rehearsal.with_fault("reboot", at="confirm").update()
    assert result.is_done, str(result)

def test_two(make_virtual_device):
    assert make_virtual_device(version="0.5.0", faults=("disconnect@3",)).running == "0.5.0+0"
"""


def test_a_failure_tells_what_the_device_said(samples: Path) -> None:
    (samples / "pytest_rehearsal/test_own.py").write_text(TEST)
    done = run_pytest(samples / "pytest_rehearsal", "test_own.py")
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "AssertionError: DV506 the device went back to 1.1.0" in done.stdout
    assert "Swap type: revert" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "which build? Give its directory with --dfu-build DIR"),
        (("--dfu-build", "nothing"), "error[EN001]"),
        (("--dfu-build", "samples/tiny/build-swap", "--dfu-from", "test_own.py"), "error[IM305]"),
    ],
)
def test_what_it_can_not_do_it_says_in_a_word(
    samples: Path, arguments: tuple[str, ...], said: str
) -> None:
    folder = samples.parent
    (folder / "test_own.py").write_text(TEST)
    done = run_pytest(folder, "test_own.py", *arguments, "-k", "one")
    assert done.returncode == 1
    assert said in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "site-packages" not in done.stdout


def test_it_costs_nothing_who_does_not_use_it(tmp_path: Path) -> None:
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    ours = {name for name in sys.modules if name.startswith('west_dfu_ble')}\n"
        "    assert ours == {'west_dfu_ble', 'west_dfu_ble.pytest_plugin'}\n"
        "    assert not {'asyncio', 'bumble', 'cryptography', 'yaml'} & set(sys.modules)\n"
    )
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout
