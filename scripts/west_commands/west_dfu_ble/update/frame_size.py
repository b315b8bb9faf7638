# SPDX-License-Identifier: Apache-2.0
"""How long a frame may be: from the server's buffers, the link, and, where in doubt, an echo.

A server's `buf_size` says nothing of `CONFIG_MCUMGR_TRANSPORT_BT_REASSEMBLY`: without it a frame
must fit one write, or its first part is refused and the rest taken for a header of its own. What
the build says holds only if the device runs this build. So a frame of more than one write is tried
first with an echo, which changes nothing, and whose tail can't be taken for a request that does
anything: every byte of it is ``x``, and a header of those has a protocol version that no server
knows and a group that none has. On a serial console it is the device's line buffers that nothing
tells of; there an echo of the whole size is tried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..diagnostics import DfuBleError
from ..smp import HEADER_SIZE, McumgrParameters, Rc, os_group
from .session import Refusal

if TYPE_CHECKING:
    from ..link import LinkTraits
    from .model import Knowledge
    from .session import Session

# `CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE`'s default, for servers that do not tell.
DEFAULT_BUFFER = 384
_PROBE_TIMEOUT = 1.5
# The header, a map of one entry, the key "d", and the head of a text of 256 bytes or more.
_ECHO_OVERHEAD = HEADER_SIZE + 1 + 2 + 3


@dataclass(frozen=True)
class FrameSize:
    """The longest frame in bytes, and why it is that.

    `probed`: the device was seen to put such a frame together from several writes. `most_in_flight`
    is how many the medium is sure to carry at once, `None` if the server's buffers alone decide.
    `sure_size` is the length in bytes to go back to if such frames get lost all the same: one echo
    that passed is no promise.
    """

    size: int
    reason: str
    probed: bool = False
    most_in_flight: int | None = None
    sure_size: int | None = None


def safe_frame_size(
    traits: LinkTraits, parameters: McumgrParameters | None, knowledge: Knowledge
) -> FrameSize:
    """Return the size that needs no probing: one frame is one write where a link splits frames."""
    buffer, source = _buffer(parameters, knowledge)
    limits = [(buffer - traits.buffer_overhead, source)]
    if traits.frame_limit is not None:
        limits.append((traits.frame_limit, "the most that the link carries"))
    if traits.sure_frame is not None:
        limits.append((traits.sure_frame, "what every device can receive"))
    limits.append((traits.max_write, "one write"))
    # The sure frame fills the line buffers that every console has: a second one at the same time
    # finds none.
    most = None if traits.sure_frame is None else 1
    return FrameSize(*min(limits, key=lambda limit: limit[0]), most_in_flight=most)


def wanted_frame_size(
    traits: LinkTraits, parameters: McumgrParameters | None, knowledge: Knowledge
) -> FrameSize | None:
    """Return the longer frame that is worth a probe, `None` if there is none to win."""
    buffer, source = _buffer(parameters, knowledge)
    size = buffer - traits.buffer_overhead
    size = min(size, traits.frame_limit or size)
    if traits.sure_frame is not None:
        if size <= traits.sure_frame:
            return None
        return FrameSize(size, f"{source}, tried", probed=True, sure_size=traits.sure_frame)
    if not traits.splits_frames:
        return None
    runs_this_build = parameters is None or parameters.buffer_size == knowledge.buffer_size
    # The echo's own answer is a little longer than its request, so that a byte or two is no gain.
    if size <= traits.max_write + 2 or (knowledge.reassembly is False and runs_this_build):
        return None
    return FrameSize(size, f"{source}, in several writes", probed=True)


@dataclass
class FrameSizes:
    """Decides once, and again after a reconnect only what a connection may change."""

    knowledge: Knowledge
    _found: FrameSize | None = None

    async def find(self, session: Session, parameters: McumgrParameters | None) -> FrameSize:
        """Decide, with an echo where neither the build nor the server tells. Raises `LinkLost`."""
        if self._found is not None and self._found.probed:
            return self._found
        traits = session.link.traits
        wanted = wanted_frame_size(traits, parameters, self.knowledge)
        if (
            self._found is None
            and wanted is not None
            and await _passes(session, _probe_size(traits, wanted.size))
        ):
            self._found = wanted
            return wanted
        self._found = safe_frame_size(traits, parameters, self.knowledge)
        return self._found


def _probe_size(traits: LinkTraits, wanted: int) -> int:
    if traits.sure_frame is not None:
        return wanted
    # One write and as little as possible of the next: the answer must fit the buffer as well.
    return min(traits.max_write + 16, wanted - 2)


async def _passes(session: Session, size: int) -> bool:
    text = "x" * max(size - _ECHO_OVERHEAD, 1)
    try:
        payload = await session.request(os_group.echo(text), timeout=_PROBE_TIMEOUT)
        return os_group.parse_echo(payload) == text
    except Refusal as refusal:
        # No echo in this firmware, or none that long: what it refused so, it had received whole.
        return refusal.error.is_rc(Rc.ENOTSUP, Rc.EMSGSIZE)
    except DfuBleError:
        return False


def _buffer(parameters: McumgrParameters | None, knowledge: Knowledge) -> tuple[int, str]:
    if parameters is not None:
        return parameters.buffer_size, "the device's buffer"
    if knowledge.buffer_size is not None:
        return knowledge.buffer_size, "the build's buffer"
    return DEFAULT_BUFFER, "Zephyr's default buffer"
