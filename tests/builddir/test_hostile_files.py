# SPDX-License-Identifier: Apache-2.0
"""Files made to harm: each reader answers within a second, and with nothing but an error."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from made_builds import child_image_build, write
from west_dfu_ble.builddir import load
from west_dfu_ble.diagnostics import DfuBleError

# Seconds of this process's own time, so that a busy machine does not fail the test; one that is
# a few times slower than usual must not, either.
LIMIT = 3.0

MEGABYTE = 1_000_000


def laughs() -> str:
    """Aliases of lists of aliases: a billion texts for whoever follows them."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines) + "\n"


def dts(body: str) -> str:
    return f"/dts-v1/;\n/ {{\n{body}\n}};\n"


CASES: dict[str, tuple[str, Callable[[], str | bytes], str]] = {
    "config-one-long-line": (
        "zephyr/.config",
        lambda: 'CONFIG_A="' + "x" * 10 * MEGABYTE + '"\n',
        "EN003",
    ),
    "config-long-string": (
        "zephyr/.config",
        lambda: 'CONFIG_A="' + "\\x" * MEGABYTE + "\n",
        "EN003",
    ),
    "config-many-lines": ("zephyr/.config", lambda: "CONFIG_A\n" * 400_000, "EN003"),
    "config-huge": ("zephyr/.config", lambda: "CONFIG_A=y\n" * 2 * MEGABYTE, "EN003"),
    "cache-one-long-line": ("CMakeCache.txt", lambda: "ZEPHYR_BASE:" * 300_000, "EN006"),
    "cache-long-name": ("CMakeCache.txt", lambda: "A" * 3 * MEGABYTE, "EN006"),
    "yaml-deep-lists": ("partitions.yml", lambda: "[" * 100_000, "EN004"),
    "yaml-deep-maps": ("partitions.yml", lambda: "{a: " * 40_000, "EN004"),
    "yaml-deep-blocks": (
        "partitions.yml",
        lambda: "".join(f"{' ' * n}a:\n" for n in range(600)),
        "EN004",
    ),
    "yaml-alias-bomb": ("partitions.yml", laughs, "EN004"),
    "yaml-alias-of-itself": ("partitions.yml", lambda: "a: &a [*a]\n", "EN004"),
    "yaml-object": (
        "partitions.yml",
        lambda: "a: !!python/object/apply:os.system ['exit 7']\n",
        "EN004",
    ),
    "yaml-one-long-line": ("partitions.yml", lambda: "a: " + "x" * 190_000, "EN004"),
    "yaml-huge": ("partitions.yml", lambda: "a: x\n" * 10 * MEGABYTE, "EN004"),
    "yaml-huge-number": (
        "partitions.yml",
        lambda: "a:\n  size: 1\n  address: " + "9" * 100_000,
        "EN004",
    ),
    "domains-alias-bomb": ("domains.yaml", laughs, "EN006"),
    "pm-config-one-long-line": ("pm.config", lambda: "PM_" * 300_000, "EN004"),
    "dts-deep": ("zephyr/zephyr.dts", lambda: dts("a {" * 20_000 + "};" * 20_000), "EN005"),
    "dts-deeper-than-the-stack": ("zephyr/zephyr.dts", lambda: dts("a {" * 100_000), "EN005"),
    "dts-long-property": ("zephyr/zephyr.dts", lambda: dts(f"a = <{'0 ' * 190_000}>;"), "EN005"),
    "dts-many-labels": (
        "zephyr/zephyr.dts",
        lambda: dts("".join(f"l{n}: " for n in range(40_000)) + "a { };"),
        "EN005",
    ),
    "dts-huge": ("zephyr/zephyr.dts", lambda: dts("a;\n" * MEGABYTE), "EN005"),
    "dts-shift": ("zephyr/zephyr.dts", lambda: dts("a = < (1 << 0xffffffffff) >;"), "EN005"),
    "dts-unclosed-string": ("zephyr/zephyr.dts", lambda: dts('a = "' + "\\" * 390_000), "EN005"),
    "dts-unclosed-escapes": (
        "zephyr/zephyr.dts",
        lambda: dts('a = "' + '\\"' * 190_000),
        "EN005",
    ),
    "dts-ends-in-an-escape": (
        "zephyr/zephyr.dts",
        lambda: '/dts-v1/;"' + '\\"' * 190_000 + "\\",
        "EN005",
    ),
    "dts-unclosed-comments": ("zephyr/zephyr.dts", lambda: dts("/* " * 130_000), "EN005"),
    "dts-quotes": ("zephyr/zephyr.dts", lambda: dts("\"'" * 190_000), "EN005"),
    "dts-outside-file": (
        "zephyr/zephyr.dts",
        lambda: dts('a = /incbin/ ("/etc/passwd");'),
        "EN005",
    ),
    "dts-outside-include": (
        "zephyr/zephyr.dts",
        lambda: '/dts-v1/;\n/include/ "/etc/passwd"\n/ { };\n',
        "EN005",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_hostile_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    child_image_build(tmp_path)
    load(tmp_path)
    file, make, code = CASES[name]
    if file == "pm.config":
        (tmp_path / "partitions.yml").unlink()
    write(tmp_path, {file: make()})

    start = time.process_time()
    with pytest.raises(DfuBleError) as caught:
        load(tmp_path)
    assert time.process_time() - start < LIMIT
    assert caught.value.diagnostic.code == code
    assert len(caught.value.diagnostic.message) < 400


@pytest.mark.parametrize(
    ("file", "text"),
    [
        # thousands of labels without phandles, each looked up among all nodes
        (
            "zephyr/zephyr.dts",
            dts(
                "".join(f"n{n}: a{n} {{ }};\n" for n in range(8_000))
                + "".join(f"p{n} = <&n{n}>;\n" for n in range(8_000))
            ),
        ),
        ("zephyr/zephyr.dts", dts("a {};" * 70_000)),
        ("zephyr/zephyr.dts", dts("".join(f"a{n};" for n in range(40_000)))),
        ("zephyr/.config", "CONFIG_A=y\n" + "# CONFIG_B is not set\n" * 150_000),
        ("zephyr/.config", 'CONFIG_A="' + '\\"' * MEGABYTE + '"\n'),
        ("CMakeCache.txt", "ZEPHYR_BASE:PATH=/z\n" * 190_000),
        ("partitions.yml", "".join(f"p{n}: {{address: {n}, size: 1}}\n" for n in range(6_000))),
    ],
    ids=["dts-labels", "dts-nodes", "dts-names", "config-lines", "config-text", "cache", "yaml"],
)
def test_large_file_is_read_or_refused_in_time(tmp_path: Path, file: str, text: str) -> None:
    child_image_build(tmp_path)
    write(tmp_path, {file: text})
    start = time.process_time()
    try:
        load(tmp_path)
    except DfuBleError as error:
        assert error.diagnostic.code in ("EN004", "EN005")  # noqa: PT017 (either outcome is right)
    assert time.process_time() - start < LIMIT
