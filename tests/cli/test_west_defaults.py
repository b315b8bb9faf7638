# SPDX-License-Identifier: Apache-2.0
"""`west config dfu-ble.*`: taken inside a workspace, over the project's file, under the options."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from running import RunDfuBle

pytestmark = pytest.mark.usefixtures("west_workspaces")


@pytest.fixture(params=["west reads it", "west is not installed"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the environment has west; a tool in an environment of its own has not."""
    if request.param == "west reads it":
        pytest.importorskip("west")
        return
    real = builtins.__import__

    def without_west(name: str, *rest: Any) -> Any:
        if name.partition(".")[0] == "west":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_west)


def configure(folder: Path, options: Mapping[str, str], section: str = "dfu-ble") -> Path:
    (folder / ".west").mkdir(exist_ok=True)
    lines = [f"[{section}]", *(f"{name} = {value}" for name, value in options.items())]
    (folder / ".west/config").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.usefixtures("reader")
def test_link_over_the_projects_file_and_under_the_option(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = ("status", "-d", tiny / "build-swap")
    (tiny / "dfu-ble.yml").write_text("link: serial:/dev/the-projects\n")
    outside = dfu_ble(*status, "--config", tiny / "dfu-ble.yml")
    assert outside.status == 6
    assert "/dev/the-projects" in outside.err

    monkeypatch.chdir(configure(tiny, {"link": "virtual"}))
    assert dfu_ble(*status, "--config", tiny / "dfu-ble.yml").status == 0
    over = dfu_ble(*status, "--link", "serial:/dev/the-option")
    assert over.status == 6
    assert "/dev/the-option" in over.err


@pytest.mark.usefixtures("reader")
def test_device_is_looked_for(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from west_dfu_ble.commands import device

    asked: list[object] = []

    def open_nothing(link: str, name: str | None, **_: object) -> None:
        asked.append((link, name))
        raise KeyboardInterrupt

    monkeypatch.setattr(device, "open_link", open_nothing)
    monkeypatch.chdir(configure(tiny, {"device": "My device", "link": "hci:usb:1"}))
    dfu_ble("status", "-d", tiny / "build-swap")
    dfu_ble("status", "-d", tiny / "build-swap", "--device", "Other")
    assert asked == [("hci:usb:1", "My device"), ("hci:usb:1", "Other")]


@pytest.mark.usefixtures("reader")
def test_strictness_and_profile(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*options: str) -> tuple[int, Any]:
        result = dfu_ble("check", "-d", tiny / "build-swap", "--format", "json", *options)
        return result.status, json.loads(result.out)

    # Open access: a warning, and an error in a release.
    config = tiny / "build-swap/zephyr/.config"
    authen = "CONFIG_MCUMGR_TRANSPORT_BT_AUTHEN"
    config.write_text(config.read_text().replace(f"{authen}=y", f"# {authen} is not set"))
    monkeypatch.chdir(tiny)
    plain, report = check()
    assert (plain, report["profile"]["name"]) == (0, "caf")

    configure(tiny, {"fail-on": "WARNING", "profile": "mcumgr"})
    strict, report = check()
    assert (strict, report["profile"]["name"]) == (3, "mcumgr")
    assert check("--fail-on", "error", "--profile", "caf")[0] == 0

    configure(tiny, {"release": "yes"})
    assert check()[0] == 3
    configure(tiny, {"release": "false"})
    (tiny / "dfu-ble.yml").write_text("release: true\n")
    assert check("--config", str(tiny / "dfu-ble.yml"))[0] == 0
    assert check("--config", str(tiny / "dfu-ble.yml"), "--release")[0] == 3


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"devise": "x"}, "west's setting `dfu-ble.devise` does not exist; there are device, link"),
        ({"fail-on": "never"}, "`dfu-ble.fail-on` is `never`, and can be error, warning, info"),
        ({"profile": "both"}, "`dfu-ble.profile` is `both`, and can be caf, mcumgr"),
        ({"release": "maybe"}, "`dfu-ble.release` is `maybe`, and can be true, false"),
        ({"device": "50%"}, "west's configuration can't be read: '%' must be followed"),
    ],
)
def test_what_it_can_not_mean(
    dfu_ble: RunDfuBle,
    tiny: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: Mapping[str, str],
    message: str,
) -> None:
    monkeypatch.chdir(configure(tiny, options))
    result = dfu_ble("check", "-d", tiny / "build-swap")
    assert result.status == 2
    assert result.err.count("error[EN008]") == 1
    assert message in result.err
    assert "`west config " in result.err


@pytest.mark.usefixtures("reader")
def test_a_file_that_west_can_not_read(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny / ".west").mkdir()
    (tiny / ".west/config").write_text("no section\n[[\n")
    monkeypatch.chdir(tiny)
    result = dfu_ble("check", "-d", tiny / "build-swap")
    assert result.status == 2
    assert "west's configuration can't be read: File contains no section headers" in result.err
    assert "Traceback" not in result.err


def test_other_sections_and_empty_options_say_nothing(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(configure(tiny, {"devise": "x"}, section="build"))
    assert dfu_ble("check", "-d", tiny / "build-swap").status == 0
    configure(tiny, {"fail-on": ""})
    assert dfu_ble("check", "-d", tiny / "build-swap").status == 0


def test_the_workspace_of_zephyr_base_counts_as_for_west(
    dfu_ble: RunDfuBle, tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    configure(tiny, {"fail-on": "never"})
    assert dfu_ble("check", "-d", tiny / "build-swap").status == 0
    monkeypatch.setenv("ZEPHYR_BASE", str(tiny / "zephyr"))
    assert dfu_ble("check", "-d", tiny / "build-swap").status == 2
