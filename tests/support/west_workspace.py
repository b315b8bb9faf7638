# SPDX-License-Identifier: Apache-2.0
"""A west workspace made for one test: three files and a copy of this module, no git, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from running import Result

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE_FILES = ("west-commands.yml", "zephyr", "scripts", "schemas", "pyproject.toml")

MANIFEST = """\
manifest:
  group-filter: [-host-tools]
  projects:
    - name: west-dfu-ble
      url: https://example.invalid/west-dfu-ble
      revision: main
      path: {path}
      west-commands: west-commands.yml
{groups}"""


@dataclass(frozen=True)
class Workspace:
    """Where the workspace stands, and where in it this module."""

    root: Path
    module: Path

    @classmethod
    def make(cls, root: Path, module: str = "modules/dfu", *, active: bool = True) -> Workspace:
        """Make a workspace in `root`; west refuses links out of a project, so files are copied.

        Without `active` the project is in a group that is filtered out.
        """
        workspace = cls(root, root / module)
        (root / ".west").mkdir(parents=True)
        (root / ".west/config").write_text("[manifest]\npath = manifest\nfile = west.yml\n")
        (root / "manifest").mkdir()
        groups = "" if active else "      groups: [host-tools]\n"
        (root / "manifest/west.yml").write_text(MANIFEST.format(path=module, groups=groups))
        for name in MODULE_FILES:
            source, target = REPOSITORY / name, workspace.module / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        return workspace

    def west(
        self,
        *arguments: object,
        python: str = sys.executable,
        pythonpath: Path | None = None,
        cwd: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> Result:
        """Run the real west with `arguments`, untouched by the user's own configuration."""
        program = (python, "-m", "west", *arguments)
        return self.run(*program, pythonpath=pythonpath, cwd=cwd, environment=environment)

    def run(
        self,
        *program: object,
        pythonpath: Path | None = None,
        cwd: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> Result:
        """Run a program in the workspace, with nothing of west, Zephyr or Python set."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "WEST_", "ZEPHYR_", "COV_"))
        }
        done = subprocess.run(
            [*map(str, program)],
            cwd=cwd or self.root,
            env={
                **inherited,
                "WEST_CONFIG_SYSTEM": str(self.root / "no-system-configuration"),
                "WEST_CONFIG_GLOBAL": str(self.root / "no-global-configuration"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "NO_COLOR": "1",
                "COLUMNS": "100",
                **({"PYTHONPATH": str(pythonpath)} if pythonpath else {}),
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=100,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)
