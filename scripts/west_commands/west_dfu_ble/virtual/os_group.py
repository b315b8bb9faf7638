# SPDX-License-Identifier: Apache-2.0
"""The OS management group (0): echo, reset, parameters, information, bootloader information."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .codec import READ, WRITE, Arguments
from .profile import DeviceProfile

GROUP = 0
RC_QUERY_YIELDS_NO_ANSWER = 3
INVALID_FORMAT = 2

Answer = Mapping[str, Any]


class GroupError(Exception):
    """An error of a group; SMP v1 sends what `version_1` translates it to.

    `reason` is the text of verbose errors, `original` what trees send that know SMP v1 alone, where
    that is another code.
    """

    def __init__(
        self,
        group: int,
        code: int,
        version_1: int,
        reason: str = "",
        original: int | None = None,
    ) -> None:
        """Name group and code of the error."""
        super().__init__(group, code)
        self.group = group
        self.code = code
        self.version_1 = version_1
        self.reason = reason
        self.original = version_1 if original is None else original


class PlainError(Exception):
    """An error of the protocol itself, `rc` in every version (`enum mcumgr_err_t`)."""

    def __init__(self, code: int) -> None:
        """Name the code."""
        super().__init__(code)
        self.code = code


class OsGroup:
    """Answers to the group's requests; `request_reset` is called for a reset."""

    def __init__(self, profile: DeviceProfile, request_reset: Callable[[], None]) -> None:
        """Take what the device tells of itself from the profile.

        `request_reset` may raise `PlainError` to refuse.
        """
        self._profile = profile
        self._request_reset = request_reset

    def handler(self, command: int, op: int) -> Callable[[bytes], Answer] | None:
        """Return who answers a command, or `None` if this build has no such command."""
        server = self._profile.server
        found: dict[tuple[int, int], Callable[[bytes], Answer]] = {
            (0, READ): self._echo,
            (0, WRITE): self._echo,
            (5, WRITE): self._reset,
        }
        if server.info:
            found[7, READ] = self._info
        if server.parameters:
            found[6, READ] = self._parameters
        if server.bootloader_info:
            found[8, READ] = self._bootloader
        return found.get((command, op))

    def _echo(self, payload: bytes) -> Answer:
        return {"r": Arguments(payload).text("d") or ""}

    def _reset(self, payload: bytes) -> Answer:
        # Nothing is decoded: Zephyr looks at `force` only for applications that registered a hook.
        self._request_reset()
        return {}

    def _parameters(self, payload: bytes) -> Answer:
        server = self._profile.server
        return {"buf_size": server.buf_size, "buf_count": server.buf_count}

    def _info(self, payload: bytes) -> Answer:
        server = self._profile.server
        wanted = Arguments(payload).text("format") or "s"
        known = {
            "s": "Zephyr",
            "n": self._profile.radio.name,
            "r": f"v{server.kernel_version}",
            "v": server.kernel_version,
            "m": server.processor,
            "p": server.processor,
            "i": server.board,
            "o": "Zephyr",
        }
        order = "snrvmpio"
        if "a" in wanted:
            wanted = order
        if any(letter not in known for letter in wanted):
            raise GroupError(GROUP, INVALID_FORMAT, 3)
        return {"output": " ".join(known[letter] for letter in order if letter in wanted)}

    def _bootloader(self, payload: bytes) -> Answer:
        query = Arguments(payload).text("query")
        if query is None:
            return {"bootloader": "MCUboot"}
        if query != "mode":
            raise PlainError(RC_QUERY_YIELDS_NO_ANSWER)
        answer: dict[str, Any] = {"mode": self._profile.mode.value}
        if self._profile.prevent_downgrade:
            answer["no-downgrade"] = True
        return answer
