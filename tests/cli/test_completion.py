# SPDX-License-Identifier: Apache-2.0
"""The completion scripts in the shells that they are for, typed at a real prompt."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from running import RunDfuBle
from shell import Terminal
from west_dfu_ble.commands.completion import SHELLS, completion_script

posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX systems")
# Shell -> how it is started without anybody's settings, and what makes it ready.
PROMPTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "PS1='READY> '; bind 'set bell-style none'"),
    "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -D; PS1='READY> '"),
    "fish": (["fish", "--no-config", "-i"], "function fish_prompt; echo 'READY> '; end"),
}
# What is typed before TAB, and what must appear behind it.
TYPED = [
    ("dfu-ble chec", "check"),
    ("dfu-ble --link vir", "virtual"),
    ("dfu-ble check --exit-", "--exit-zero"),
    ("dfu-ble -d build check --format sar", "sarif"),
    ("dfu-ble check --profile ca", "caf"),
    ("dfu-ble explain KC15", "KC152"),
    ("dfu-ble completion pow", "powershell"),
    ("dfu-ble upload --image only-o", "only-one.bin"),
    ("west dfu-", "dfu-ble"),
    ("west dfu-ble rehea", "rehearse"),
    ("west dfu-ble check --format sar", "sarif"),
    ("west buil", "build-as-before"),
]
# West's own completion, as far as it matters: something was there before.
WEST_BEFORE = {
    "bash": "_west() { COMPREPLY=(build-as-before); }; complete -F _west west",
    "zsh": "_west() { compadd build-as-before }; compdef _west west",
    "fish": "complete -c west -f -a build-as-before",
}


@pytest.fixture(scope="module", params=list(PROMPTS))
def prompt(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    """A shell at its prompt that has read the script twice, as after `source ~/.bashrc`."""
    shell = str(request.param)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    folder = tmp_path_factory.mktemp(shell)
    (folder / "only-one.bin").touch()
    script = folder / "script"
    script.write_text(completion_script(shell) + "\n", encoding="utf-8")
    command, setup = PROMPTS[shell]
    environment = {"HOME": str(folder), "TERM": "xterm", "XDG_CONFIG_HOME": str(folder)}
    terminal = Terminal(command, environment=environment, cwd=folder, columns=300)
    read = f"source {script}" if shell == "fish" else f'eval "$(cat {script})"'
    for line in (setup, WEST_BEFORE[shell], read, read, "echo reading-is-'over'"):
        terminal.type(f"{line}\r")
    assert terminal.wait_for("reading-is-over"), terminal.seen
    yield terminal
    terminal.close()


@posix
@pytest.mark.parametrize(("typed", "completed"), TYPED, ids=[typed for typed, _ in TYPED])
def test_tab_completes(prompt: Terminal, typed: str, completed: str) -> None:
    prompt.seen = b""
    prompt.type(f"\x15{typed}\t")
    if not prompt.wait_for(completed, 1.5):
        prompt.type("\t")  # several begin so: the second TAB lists them
    assert prompt.wait_for(completed, 10), prompt.seen
    assert b"rror" not in prompt.seen
    prompt.type("\x15")


@pytest.mark.parametrize("shell", list(SHELLS))
def test_script_of_every_shell(dfu_ble: RunDfuBle, shell: str) -> None:
    result = dfu_ble("completion", shell)
    assert result.status == 0, result.err
    for word in ("rehearse", "log-file", "sarif", "KC150"):
        assert word in result.out
    assert ("_dfu_ble_west" in result.out) == (shell != "powershell")


@pytest.mark.parametrize("operand", [(), ("tcsh",)])
def test_a_shell_that_there_is_no_script_for(dfu_ble: RunDfuBle, operand: tuple[str, ...]) -> None:
    result = dfu_ble("completion", *operand)
    assert result.status == 2
    assert "bash, zsh, fish, powershell" in result.err


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_without_a_completion_of_west(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(completion_script("bash") + "\n", encoding="utf-8")
    words = 'COMP_WORDS=(west df); COMP_CWORD=1; _dfu_ble_west; echo "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", f"source '{script}'; {words}"],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("dfu-ble\n", "")
