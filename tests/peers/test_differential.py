# SPDX-License-Identifier: Apache-2.0
"""Random sequences of requests, resets and power cuts: the virtual device does as the real one.

The real one is Zephyr 4.4 with MCUboot (swap using offset) in QEMU. After every step the image
state of both is compared, and with it what was started. The seed is the test's parameter. Power is
cut between requests here, not in the middle of a swap: both write other pieces at a time then.
"""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from device_pair import (
    LARGEST_FRAME,
    PRIMARY,
    SECONDARY,
    SECTOR,
    TARGET,
    Answer,
    EmulatorHangsError,
    OurDevice,
    RealDevice,
    swap_type,
)
from west_dfu_ble import image
from west_dfu_ble.smp import Request, image_group
from zephyr_qemu import ZephyrServer

pytestmark = [pytest.mark.peer, pytest.mark.timeout(300)]
Start = Callable[..., ZephyrServer]

_STEPS, _ATTEMPTS = 30, 5
_IMAGE_GROUP = 1
_STATE, _UPLOAD, _ERASE = 0, 1, 5
# What a request's other fields leave for data: the first one's, with a digest, and the others'.
_FIRST_ROOM, _ROOM = LARGEST_FRAME - 90, LARGEST_FRAME - 32
_DIGEST_TLV = 0x10

# Where both differ and may: the fields that are not compared, and why.
ACCEPTED = {
    "output": "the target's Zephyr calls itself by its commit, 684c9e8f32e4, the virtual device "
    "by its release",
}
# Other requests than those that change anything: operation (write), group, command, payload.
_QUESTIONS: tuple[tuple[bool, int, int, dict[str, Any]], ...] = (
    (False, 1, 6, {}),
    (False, 0, 6, {}),
    (False, 0, 7, {"format": "sr"}),
    (False, 0, 8, {"query": "mode"}),
    (True, 0, 0, {"d": "hello"}),
    (True, 0, 0, {}),
    (False, 1, 1, {}),
    (False, 1, 5, {}),
    (True, 1, 6, {}),
    (False, 1, 9, {}),
    (True, 1, 0, {"confirm": "text"}),
    (True, 1, 0, {"hash": "text"}),
    (True, 1, 1, {"off": "text"}),
    (False, 0, 5, {}),
    (False, 77, 0, {}),
)


Compare = Callable[[Callable[["Pair"], None]], None]


def make_image(version: int, payload: bytes, *, spoil: bool = False) -> bytes:
    """Make an image without signature, as the target's bootloader takes it."""
    header = struct.pack(
        "<IIHHIIBBHII", 0x96F3B83D, 0, 0x200, 0, len(payload), 0, version, *[0] * 4
    )
    signed = header.ljust(0x200, b"\0") + payload
    digest = hashlib.sha256(signed + b"spoilt" * spoil).digest()
    return signed + struct.pack("<HHHH", 0x6907, 40, _DIGEST_TLV, 32) + digest


def digest_of(data: bytes) -> bytes:
    """Return the digest that an image of `make_image` brings."""
    return data[-32:]


class Pair:
    """Both devices, which get the same requests; whatever differs fails the test."""

    def __init__(self, real: RealDevice, ours: OurDevice) -> None:
        self.real, self.ours = real, ours
        self.steps: list[str] = []

    def question(self, write: bool, group: int, command: int, payload: dict[str, Any]) -> None:
        """Send a request that changes nothing."""
        request = Request(f"ask {group}/{command}", write, group, command, payload)
        self.steps.append(f"{request.name} {payload}")
        self._same("answer", self.real.request(request), self.ours.request(request))

    def ask(
        self, told: str, command: int, payload: dict[str, Any], *, write: bool = True
    ) -> Answer:
        """Send one request of the image group to both; return the answer."""
        self.steps.append(told)
        request = Request(told, write, _IMAGE_GROUP, command, payload)
        answer: Answer = self._same(
            "answer", self.real.request(request), self.ours.request(request)
        )
        return answer

    def reset(self) -> None:
        """Reset both by command, and compare what their bootloaders make of it."""
        self.steps.append("reset")
        self._same("answer", self.real.reset(), self.ours.reset())
        self._same("swap type", swap_type(self.real.log), swap_type(self.ours.log))

    def power_cycle(self) -> None:
        """Cut the power of both."""
        self.steps.append("power cycle")
        self.real.power_cycle()
        self.ours.power_cycle()

    def compare(self) -> Answer:
        """Read the image state of both."""
        state = Request("read", False, _IMAGE_GROUP, _STATE, {})
        answer: Answer = self._same("state", self.real.request(state), self.ours.request(state))
        return answer

    def _same(self, what: str, real: Any, ours: Any) -> Any:
        steps = "; ".join(self.steps)
        assert without_accepted(ours) == without_accepted(real), (
            f"{what} after: {steps}\nreal: {real}\nours: {ours}\n{self.real.log}"
        )
        return real


def without_accepted(answer: Any) -> Any:
    """Leave out what is in the table `ACCEPTED`, wherever it stands."""
    if isinstance(answer, dict):
        return {
            key: without_accepted(value) for key, value in answer.items() if key not in ACCEPTED
        }
    return [without_accepted(item) for item in answer] if isinstance(answer, list) else answer


class Player:
    """Makes the steps of one sequence out of a seed."""

    def __init__(self, pair: Pair, seed: int, runnable: tuple[bytes, ...]) -> None:
        self._pair = pair
        self._random = random.Random(seed)
        outside = bytes(4) + struct.pack("<I", 0x3F000001)  # a reset vector that is in no slot
        self._images = [
            *(make_image(5, self._random.randbytes(size), spoil=True) for size in (900, 3000)),
            make_image(6, outside + self._random.randbytes(1200)),
        ]
        self._runnable = runnable
        self._digests = [digest_of(data) for data in (*self._images, *runnable)]
        self._upload: tuple[bytes, int] | None = None

    def step(self) -> None:
        """Do one thing, and compare the states."""
        steps = {self._set: 8, self._erase: 2, self._upload_some: 6, self._restart: 4}
        (step,) = self._random.choices([*steps], [*steps.values()])
        step()
        self._pair.compare()

    def _set(self) -> None:
        digest = self._random.choice(
            [None, b"", bytes(5), bytes(32), *self._digests, *self._digests[-2:] * 3]
        )
        confirm = self._random.choice([None, False, True])
        payload: dict[str, Any] = {} if digest is None else {"hash": digest}
        if confirm is not None:
            payload["confirm"] = confirm
        name = digest.hex()[:8] if digest is not None else "nothing"
        self._pair.ask(f"set {name} confirm={confirm}", _STATE, payload)

    def _erase(self) -> None:
        slot = self._random.choice([None, 0, 1, 1, 2, 3, 9])
        self._pair.ask(f"erase {slot}", _ERASE, {} if slot is None else {"slot": slot})

    def _restart(self) -> None:
        self._upload = None
        if self._random.random() < 0.7:
            self._pair.reset()
        else:
            self._pair.power_cycle()

    def _upload_some(self) -> None:
        """Begin an upload, or go on with one: some pieces, some of them at a wrong offset."""
        if self._upload is None or self._random.random() < 0.3:
            data = self._random.choice([*self._images, self._runnable[1]])
            self._upload = data, self._begin(data)
        data, offset = self._upload
        for _ in range(self._random.randrange(1, 20)):
            if not 0 < offset < len(data):
                break
            piece = data[offset : offset + self._random.choice([1, 7, 100, _ROOM])]
            at = offset
            if self._random.random() < 0.15:
                at = self._random.choice([1, offset + 1, offset + 512, len(data), len(data) + 9])
            payload = {"off": at, "data": piece}
            offset = self._pair.ask(f"piece at {at}", _UPLOAD, payload).get("off", 0)
        self._upload = (data, offset) if 0 < offset < len(data) else None

    def _begin(self, data: bytes) -> int:
        first = data[: self._random.choice([10, 32, 64, _FIRST_ROOM, _FIRST_ROOM])]
        payload: dict[str, Any] = {
            "image": self._random.choice([0, 0, 0, 1]),
            "len": len(data),
            "off": 0,
            "sha": hashlib.sha256(data).digest(),
            "data": first,
        }
        fault = self._random.choice(["none"] * 8 + [*_FAULTS])
        if fault != "none":
            payload.update(_FAULTS[fault])
        for gone in [key for key, value in payload.items() if value is None]:
            del payload[gone]
        told = f"begin {len(data)} bytes with {len(payload.get('data', b''))}, {fault}"
        return int(self._pair.ask(told, _UPLOAD, payload).get("off", 0))


_FAULTS: dict[str, dict[str, Any]] = {
    "no offset": {"off": None},
    "no length": {"len": None},
    "no digest": {"sha": None},
    "short digest": {"sha": b"short"},
    "long digest": {"sha": bytes(33)},
    "no data": {"data": None},
    "no header": {"data": bytes(64)},
    "larger than the slot": {"len": 0x1A001},
    "as large as the slot": {"len": 0x1A000},
    "longer than an image": {"len": 0x7FFFFFFF},
    "only an upgrade": {"upgrade": True},
    "shorter than its data": {"len": 40},
}


@pytest.fixture(scope="module")
def real_image() -> bytes:
    """The target's own image; every version of it can be started."""
    from zephyr_qemu import archive_folder, artifact_of

    name = artifact_of(*TARGET)["artifact"].partition(".merged")[0]
    return (archive_folder() / f"{name}.signed.bin").read_bytes()


@pytest.fixture(scope="module")
def versions(real_image: bytes) -> tuple[bytes, ...]:
    """The image that runs, and the same program as version 2."""
    parsed = image.parse(real_image, Path("the target's image"))
    return real_image[: parsed.size], make_image(2, parsed.payload)


@pytest.fixture
def flash(versions: tuple[bytes, ...], tmp_path: Path) -> Path:
    """Flash with version 2 in the secondary slot, as an upload would have left it there."""
    from intelhex import IntelHex

    from zephyr_qemu import FLASH_SIZE, archive_folder, artifact_of

    program = IntelHex(str(archive_folder() / artifact_of(*TARGET)["artifact"]))
    program.padding = 0xFF
    data = bytearray(program.tobinarray(start=0, size=FLASH_SIZE))
    assert bytes(data[PRIMARY : PRIMARY + len(versions[0])]) == versions[0]
    at = SECONDARY + SECTOR
    data[at : at + len(versions[1])] = versions[1]
    path = tmp_path / "flash.bin"
    path.write_bytes(data)
    return path


@pytest.fixture
def compare(
    zephyr_qemu: Start, versions: tuple[bytes, ...], flash: Path
) -> Callable[[Callable[[Pair], None]], None]:
    """Play a sequence on both devices, and once more from its beginning if the emulator hangs."""
    begin = flash.read_bytes()

    def play(sequence: Callable[[Pair], None]) -> None:
        for left in reversed(range(_ATTEMPTS)):
            flash.write_bytes(begin)
            real = RealDevice(zephyr_qemu, flash)
            try:
                sequence(Pair(real, OurDevice(*versions)))
            except EmulatorHangsError:
                if not left:
                    raise
            else:
                return
            finally:
                real.close()

    return play


@pytest.mark.parametrize("seed", range(12))
def test_both_do_the_same(seed: int, compare: Compare, versions: tuple[bytes, ...]) -> None:
    def sequence(pair: Pair) -> None:
        assert len(pair.compare()["images"]) == 2
        player = Player(pair, seed, versions)
        for _ in range(_STEPS):
            player.step()

    compare(sequence)


def test_an_upload_that_is_tested_taken_back_and_confirmed(
    compare: Compare, versions: tuple[bytes, ...]
) -> None:
    compare(lambda pair: upload_test_and_confirm(pair, versions[1]))


def upload_test_and_confirm(pair: Pair, update: bytes) -> None:
    pair.ask("erase", _ERASE, {})
    digest = digest_of(update)
    request = image_group.upload_first(
        update[:_FIRST_ROOM], len(update), hashlib.sha256(update).digest(), 0
    )
    offset = pair.ask("begin", _UPLOAD, dict(request.payload))["off"]
    while offset < len(update):
        payload = {"off": offset, "data": update[offset : offset + _ROOM]}
        offset = pair.ask(f"piece at {offset}", _UPLOAD, payload)["off"]
    for confirm in (False, True):
        pair.ask("set", _STATE, {"hash": digest, "confirm": confirm})
        pair.reset()
        assert pair.compare()["images"][0]["hash"] == digest
        pair.power_cycle()
        assert (pair.compare()["images"][0]["hash"] == digest) is confirm


def test_questions_are_answered_alike(compare: Compare) -> None:
    compare(ask_questions)


def ask_questions(pair: Pair) -> None:
    for question in _QUESTIONS:
        pair.question(*question)
    # What is accepted as different is different: the table holds nothing that is out of date.
    release = Request("release", False, 0, 7, {"format": "r"})
    assert pair.real.request(release) != pair.ours.request(release)
