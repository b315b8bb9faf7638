# SPDX-License-Identifier: Apache-2.0
"""The build directory is found as `west` finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from made_builds import cache, kconfig, write
from west_dfu_ble.builddir import configured_dir_fmt, find, west_topdir
from west_dfu_ble.diagnostics import DfuBleError

pytestmark = pytest.mark.usefixtures("west_workspaces")

BUILD = {"CMakeCache.txt": cache(), "zephyr/.config": kconfig("BT")}


def build(root: Path, *names: str) -> None:
    for name in names:
        write(root / name, BUILD)


def workspace(root: Path, dir_fmt: str) -> Path:
    """A west workspace with `build.dir-fmt` set, by west's own file."""
    config = f"[manifest]\npath = app\nfile = west.yml\n[build]\ndir-fmt = {dir_fmt}\n"
    return write(root, {".west/config": config, "app/west.yml": "manifest: {}\n"})


def test_given_folder_counts_before_all(tmp_path: Path) -> None:
    build(tmp_path, "build", "other", ".")
    assert find(Path("other"), cwd=tmp_path, dir_fmt="build") == tmp_path / "other"
    assert find(tmp_path / "other", cwd=tmp_path / "build") == tmp_path / "other"


def test_default_name_counts_before_the_current_folder(tmp_path: Path) -> None:
    build(tmp_path, ".", "build")
    assert find(None, cwd=tmp_path) == tmp_path / "build"
    assert find(None, cwd=tmp_path / "build") == tmp_path / "build"


def test_current_folder(tmp_path: Path) -> None:
    build(tmp_path, ".")
    assert find(None, cwd=tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("dir_fmt", "name"),
    [
        ("build/{board}", "build/nrf52840dk"),
        ("build/{app}", "build/project"),
        ("out-{board}-{app}", "out-nrf52840dk-project"),
        ("{source_dir}/build", "build"),
    ],
)
def test_format_with_known_keys(tmp_path: Path, dir_fmt: str, name: str) -> None:
    cwd = tmp_path / "project"
    build(cwd, name, "build/another")
    assert find(None, cwd=cwd, board="nrf52840dk", dir_fmt=dir_fmt) == cwd / name


def test_absolute_format(tmp_path: Path) -> None:
    cwd = tmp_path / "project"
    cwd.mkdir()
    build(tmp_path, "all/project")
    assert find(None, cwd=cwd, dir_fmt=f"{tmp_path}/all/{{app}}") == tmp_path / "all" / "project"


def test_source_folder_of_its_own(tmp_path: Path) -> None:
    build(tmp_path, "build/apps/blinky")
    source = tmp_path / "apps" / "blinky"
    assert (
        find(None, cwd=tmp_path, source_dir=source, dir_fmt="build/{source_dir}")
        == tmp_path / "build/apps/blinky"
    )


@pytest.mark.parametrize("name", ["build/nrf52840dk", "build/nrf5340dk/nrf5340/cpuapp"])
def test_unknown_board_is_found_if_there_is_one(tmp_path: Path, name: str) -> None:
    """The folders of its images are build directories too, and not meant."""
    build(tmp_path, name, f"{name}/mcuboot")
    assert find(None, cwd=tmp_path, dir_fmt="build/{board}") == tmp_path / name


def test_several_boards_are_named(tmp_path: Path) -> None:
    build(tmp_path, "build/a", "build/b")
    with pytest.raises(DfuBleError) as caught:
        find(None, cwd=tmp_path, dir_fmt="build/{board}")
    diagnostic = caught.value.diagnostic
    assert diagnostic.code == "EN001"
    assert diagnostic.message == "2 build directories match `build/{board}`"
    assert [note.text for note in diagnostic.notes] == [
        str(tmp_path / "build/a"),
        str(tmp_path / "build/b"),
    ]


def test_names_with_glob_characters_are_taken_as_they_are(tmp_path: Path) -> None:
    cwd = tmp_path / "we[ir]d*"
    build(cwd, "build/a")
    build(tmp_path / "weid", "build/b")
    assert find(None, cwd=cwd, dir_fmt="build/{board}") == cwd / "build" / "a"


@pytest.mark.parametrize("folder", [None, "src"])
def test_nothing_found(tmp_path: Path, folder: str | None) -> None:
    if folder:
        (tmp_path / folder).mkdir()
    with pytest.raises(DfuBleError) as caught:
        find(None, cwd=tmp_path)
    assert caught.value.diagnostic.code == "EN001"
    assert caught.value.diagnostic.message == f"there is no build directory in `{tmp_path}`"
    assert caught.value.diagnostic.helps


def test_build_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "build").mkdir()
    with pytest.raises(DfuBleError) as caught:
        find(None, cwd=tmp_path)
    assert caught.value.diagnostic.code == "EN002"


@pytest.mark.parametrize(
    ("dir_fmt", "problem"),
    [
        ("build/{", "a brace in it has no other half"),
        ("build/{board", "a brace in it has no other half"),
        ("build/{0}", "`{0}` is no key of it"),
        ("build/{board.__class__}", "`{board.__class__}` is no key of it"),
        ("build/{board!r}", "`{board}` is no key of it"),
    ],
)
def test_format_that_makes_no_sense(tmp_path: Path, dir_fmt: str, problem: str) -> None:
    with pytest.raises(DfuBleError) as caught:
        find(None, cwd=tmp_path, dir_fmt=dir_fmt)
    assert caught.value.diagnostic.code == "EN008"
    assert caught.value.diagnostic.message.endswith(problem)


def test_format_comes_from_west(tmp_path: Path) -> None:
    pytest.importorskip("west")
    root = workspace(tmp_path, "out/{app}")
    inside = write(root, {"app/src/main.c": ""}) / "app" / "src"
    assert west_topdir(inside) == root.resolve()
    assert configured_dir_fmt(inside) == "out/{app}"


def test_outside_of_a_workspace_there_is_no_setting(tmp_path: Path) -> None:
    assert west_topdir(tmp_path) is None
    assert configured_dir_fmt(tmp_path) is None


def test_broken_west_configuration_is_no_setting(tmp_path: Path) -> None:
    write(tmp_path, {".west/config": "not an ini file\n[["})
    assert configured_dir_fmt(tmp_path) is None


def test_workspace_keys(tmp_path: Path) -> None:
    root = workspace(tmp_path, "unused").resolve()
    build(root, "builds/app")
    assert (
        find(None, cwd=root / "app", dir_fmt="{west_topdir}/builds/{source_dir_workspace}")
        == root / "builds" / "app"
    )
