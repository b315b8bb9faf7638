# SPDX-License-Identifier: Apache-2.0
"""Bad input: one clear diagnostic, its exit status, and nothing half-written."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from running import RunDfuBle

Spoil = Callable[[Path], object]


def tree(folder: Path) -> dict[str, str]:
    """Every file below `folder` with its hash."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def cut(name: str) -> Spoil:
    def spoil(build: Path) -> None:
        file = build / name
        data = file.read_bytes()
        file.write_bytes(data[: len(data) // 2 - len(data) // 2 % 7 + 3])

    return spoil


def cut_between_lines(name: str, lines: int) -> Spoil:
    def spoil(build: Path) -> None:
        file = build / name
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:lines]))

    return spoil


def write(name: str, data: bytes) -> Spoil:
    return lambda build: (build / name).write_bytes(data)


def replace(name: str, old: str, new: str) -> Spoil:
    def spoil(build: Path) -> None:
        file = build / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return spoil


def remove(name: str) -> Spoil:
    return lambda build: (build / name).unlink()


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        pytest.param("EN003", remove("zephyr/.config"), id="config-missing"),
        pytest.param("EN003", write("zephyr/.config", b""), id="config-empty"),
        pytest.param("EN003", cut("zephyr/.config"), id="config-cut"),
        pytest.param("EN003", cut_between_lines("zephyr/.config", 250), id="config-cut-at-a-line"),
        pytest.param("EN003", cut_between_lines("mcuboot/zephyr/.config", 20), id="mcuboot-cut"),
        pytest.param("EN003", write("zephyr/.config", os.urandom(4096)), id="config-binary"),
        pytest.param("EN004", write("partitions.yml", b"app: [1, {"), id="partitions-not-yaml"),
        pytest.param(
            "EN004",
            replace("partitions.yml", "mcuboot_secondary:", "spare:"),
            id="partitions-without-slot",
        ),
        pytest.param("EN005", write("zephyr/zephyr.dts", b"/ { node {"), id="devicetree-cut"),
    ],
)
def test_unreadable_build(dfu_ble: RunDfuBle, tiny: Path, code: str, spoil: Spoil) -> None:
    build = tiny / "build-swap"
    spoil(build)
    before = tree(tiny)

    for action in (["check"], ["sign"], ["--link", "virtual"]):
        result = dfu_ble(*action, "-d", build)
        assert result.status == 4, result.err
        assert result.err.count("error[") == 1, result.err
        assert f"error[{code}]" in result.err
    assert tree(tiny) == before


def test_no_build_directory(
    dfu_ble: RunDfuBle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = dfu_ble("check")
    assert result.status == 4
    assert "error[EN001]" in result.err


@pytest.mark.parametrize("name", ["nothing", "file", "empty"])
def test_folder_that_is_none(dfu_ble: RunDfuBle, tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    result = dfu_ble("check", "-d", tmp_path / name)
    assert result.status == 4
    assert result.err.count("error[") == 1
    assert "error[EN00" in result.err


@pytest.mark.parametrize(
    ("status", "code", "sample", "spoil"),
    [
        pytest.param(5, "IM301", "build-swap", "no-key", id="key-missing"),
        pytest.param(5, "IM302", "build-swap", "text-as-key", id="not-a-key"),
        pytest.param(5, "IM303", "build-swap", "other-type", id="key-of-another-type"),
        pytest.param(5, "IM304", "build-swap", "too-large", id="too-large"),
        pytest.param(5, "IM308", "build-direct-xip", "no-variant", id="variant-not-built"),
    ],
)
def test_signing_refuses(
    dfu_ble: RunDfuBle, tiny: Path, status: int, code: str, sample: str, spoil: str
) -> None:
    import shutil

    build = tiny / sample
    keys = sorted((tiny / "keys").glob("*.pem"))
    assert len(keys) >= 2
    if spoil == "no-key":
        for key in keys:
            key.unlink()
    elif spoil == "text-as-key":
        for key in keys:
            key.write_text("this is no key\n")
    elif spoil == "other-type":
        contents = [key.read_bytes() for key in keys]
        for key, data in zip(keys, contents[1:] + contents[:1], strict=True):
            key.write_bytes(data)
    elif spoil == "too-large":
        binary = build / "zephyr/app_to_sign.bin"
        data = binary.read_bytes()
        for name in ("app_to_sign.bin", "zephyr.bin"):
            if (build / "zephyr" / name).exists():
                (build / "zephyr" / name).write_bytes(data + os.urandom(0x79000 - len(data)))
        for hexfile in (build / "zephyr").glob("*.hex"):
            hexfile.unlink()
    else:
        shutil.rmtree(build / "mcuboot_secondary_app")
        for file in (build / "zephyr").glob("mcuboot_secondary_app*"):
            file.unlink()
    before = tree(tiny)

    result = dfu_ble("sign", "-d", build)

    assert result.status == status, result.err
    assert result.err.count("error[") == 1, result.err
    assert f"error[{code}]" in result.err
    assert tree(tiny) == before


@pytest.mark.parametrize("sample", ["build-swap", "build-direct-xip"])
def test_a_binary_that_is_cut_is_not_signed(dfu_ble: RunDfuBle, tiny: Path, sample: str) -> None:
    cut_off = 96_724
    binary = tiny / sample / "zephyr" / "app_to_sign.bin"
    binary.write_bytes(binary.read_bytes()[:-cut_off])
    before = tree(tiny)

    result = dfu_ble("sign", "-d", tiny / sample)

    assert result.status == 5, result.err
    assert result.err.count("error[") == 1
    assert f"error[IM316] bad-binary: the binary ends {cut_off} bytes before" in result.err
    assert tree(tiny) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_to_the_build_directory_is_as_good(dfu_ble: RunDfuBle, tiny: Path) -> None:
    link = tiny.parent / "elsewhere"
    link.symlink_to(tiny / "build-swap", target_is_directory=True)
    assert dfu_ble("sign", "-d", link).status == 0


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("IM305", lambda data: b"\x7fELF" + data[4:]),
        ("IM305", lambda data: b""),
        ("IM305", lambda data: data[: len(data) // 2]),
        ("IM306", lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]),
    ],
    ids=["no-image", "empty", "cut", "wrong-hash"],
)
def test_upload_of_a_spoilt_image(
    dfu_ble: RunDfuBle, tiny: Path, code: str, spoil: Callable[[bytes], bytes]
) -> None:
    build = tiny / "build-swap"
    assert dfu_ble("sign", "-d", build).status == 0
    image = tiny / "spoilt.bin"
    image.write_bytes(spoil((build / "zephyr/app_update.bin").read_bytes()))

    result = dfu_ble("upload", "-d", build, "--link", "virtual", "--image", image)

    assert result.status == 5, result.err
    assert result.err.count("error[") == 1
    assert f"error[{code}]" in result.err


def made_by_imgtool(tiny: Path, *options: object) -> Path:
    words = [sys.executable, "-m", "imgtool.main", "sign", "--version", "9.0.0", "--pad-header"]
    words += ["--align", "4", "--slot-size", "0x7a000", *map(str, options)]
    image = tiny / "image.bin"
    source = tiny / "build-swap/zephyr/app_to_sign.bin"
    subprocess.run([*words, str(source), str(image)], check=True, capture_output=True)
    return image


@pytest.mark.parametrize(
    ("option", "known", "text"),
    [
        ("--image", True, ""),
        ("--package", True, ""),
        ("--image", False, "the signature was not checked: only the build directory (`-d`) tells"),
        ("--package", False, "the signature was not checked"),
        ("unsigned", False, "image.bin has no signature: few bootloaders take it"),
    ],
)
def test_upload_tells_that_nobody_checked_the_signature(
    dfu_ble: RunDfuBle, tiny: Path, option: str, known: bool, text: str
) -> None:
    build = tiny / "build-swap"
    assert dfu_ble("sign", "-d", build).status == 0
    name = "app_update.bin" if option == "--image" else "dfu_application.zip"
    what: tuple[object, ...] = (option, build / "zephyr" / name)
    if option == "unsigned":
        what = ("--image", made_by_imgtool(tiny, "--header-size", "0x200"))
    named = ("-d", build) if known else ()
    result = dfu_ble("upload", *named, "--link", "udp:127.0.0.1:9", "--timeout", "0.2", *what)
    assert result.status == 6, result.err
    first = result.err.splitlines()[0]
    assert text in first
    assert first.startswith("note ") == bool(text)


def test_upload_of_an_image_that_no_slot_takes(dfu_ble: RunDfuBle, tiny: Path) -> None:
    """The right key, and a header of another size than the application is linked for."""
    build = tiny / "build-swap"
    (key,) = (tiny / "keys").glob("*p256*.pem")
    image = made_by_imgtool(tiny, "--key", key, "--header-size", "0x400")
    result = dfu_ble("upload", "-d", build, "--link", "virtual", "--image", image)
    assert result.status == 5, result.err
    assert "error[IM312]" in result.err


def test_no_such_device(dfu_ble: RunDfuBle, tiny: Path) -> None:
    result = dfu_ble(
        "-d", tiny / "build-swap", "--link", "virtual", "--device", "Nobody", "--timeout", "1"
    )
    assert result.status == 6, result.err
    assert result.err.count("error[") == 1
    assert "error[LK402]" in result.err
    assert "'Nobody'" in result.err
    assert "never reached" in result.last_line


@pytest.mark.parametrize(
    "arguments",
    [
        ("--link", "pigeon"),
        ("--link", "virtual", "--no-confirm", "--permanent"),
        ("upload", "--image", "a.bin", "--package", "b.zip"),
        ("sign", "-d", "one", "-d", "two"),
        ("explain", "KC999"),
        ("chek",),
        ("check", "--form", "json"),
        ("sign", "--to-sign", "one", "--fix-sig", "two"),
        ("sign", "--fix-sig-pubkey", "public.pem"),
        ("--log-file", "x", "device"),
        ("--report", "html:x", "scan"),
        ("--format", "json", "explain"),
        ("scan", "--passkey", "1"),
        ("rehearse", "--link", "ble"),
        ("rehearse", "--faults", "--dry-run"),
        ("status", "--link", "udp:127.0.0.1:9", "--from", "x"),
        ("status", "--link", "udp:127.0.0.1:9", "--speed", "max"),
        ("status", "--link", "serial:/dev/x", "--passkey", "1"),
        ("device", "--hci", "1", "--udp", "2"),
        ("device", "--frame-size", "500"),
        ("--timeout", "soon"),
        ("--timeout", "-1"),
        ("--speed", "nan"),
        ("--jobs", "0"),
        ("--retries", "-1"),
        ("--passkey", "1234567"),
        ("device", "--udp", "127.0.0.1:port"),
        ("check", "--report", "yaml:out"),
    ],
)
def test_usage(dfu_ble: RunDfuBle, tiny: Path, arguments: tuple[str, ...]) -> None:
    if "-d" not in arguments and arguments[0] in ("--link", "upload"):
        arguments = (*arguments, "-d", str(tiny / "build-swap"))
    result = dfu_ble(*arguments)
    assert result.status == 2, result.err
    assert "Traceback" not in result.err
    assert "invalid" not in result.err or "choose from" in result.err, "says what is right"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, "IM305", "a signed `.bin`"),
        (b"PK\x05\x06" + bytes(18), "IM311", "no `manifest.json`"),
    ],
)
def test_what_is_said_of_no_image(
    dfu_ble: RunDfuBle, tmp_path: Path, content: bytes | None, code: str, said: str
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    result = dfu_ble("image", file)
    assert result.status == 5
    assert result.err.count(f"error[{code}]") == 1
    assert said in result.err
    assert "help:" in result.err


def test_more_can_be_typed(tiny: Path) -> None:
    """The script `dfu-ble` works where there is no west."""
    script = Path(sys.executable).with_name("dfu-ble")
    if not script.is_file():
        pytest.skip("the package is not installed with its script")
    done = subprocess.run(
        [script, "check", "-d", tiny / "nothing"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "more: dfu-ble explain EN001" in done.stderr


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ("severity:\n  KC150: info\n  NONE: info\n", 3),
        ("waivers:\n- rule: KC\n  reason: a family would waive more than anybody looked at\n", 2),
    ],
)
def test_a_rule_that_the_settings_can_not_mean(
    dfu_ble: RunDfuBle, tiny: Path, settings: str, line: int
) -> None:
    file = tiny / "settings.yml"
    file.write_text(settings)
    result = dfu_ble("check", "-d", tiny / "build-swap", "--config", file)
    assert result.status == 2
    assert "error[EN008] bad-configuration: there is no rule" in result.err
    assert f"settings.yml:{line}\n" in result.err


def test_rehearse_heeds_the_baseline(dfu_ble: RunDfuBle, tiny: Path) -> None:
    build = tiny / "build-swap"
    assert dfu_ble("sign", "-d", build).status == 0
    released = ("--baseline", build / "zephyr/app_update.bin")
    result = dfu_ble("rehearse", "-d", build, *released, "--speed", "max")
    assert result.status == 5
    assert "error[IM317]" in result.err
