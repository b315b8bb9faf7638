# SPDX-License-Identifier: Apache-2.0
"""Choose the one device that is meant among all that advertise, whichever stack hears them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..diagnostics import DfuBleError
from ..faults import fault
from .model import Seen, plain_address

# How long to listen on once somebody fits, in seconds: another device of that name, or with that
# service, advertises within this time (Zephyr's slow interval is 1 s), or the very device that was
# there before the reset comes back after all.
_SETTLE_NAME = 1.0
_SETTLE_SERVICE = 2.0
_SETTLE_RETURN = 3.0

_LISTED = 15  # devices named in a diagnostic; an open-plan office has a hundred


class Sighting(Protocol):
    """A device as a stack wants it for connecting, and as people want it."""

    @property
    def seen(self) -> Seen:
        """What people are told of it."""


S = TypeVar("S", bound=Sighting)
# Looks at what was heard so far and tells for how long to go on from the moment that it first gave
# a figure; `None` while there is no end in sight.
Until = Callable[[Sequence[S]], "float | None"]


@dataclass(frozen=True)
class Target:
    """Whom to look for.

    `asked` is the name or address that the user gave. `known` is the device as it was when last
    connected: after a reset it may come back under another name or another address. `strangers`
    are addresses that were in range then and are certainly not it.
    """

    asked: str | None
    known: Seen | None = None
    strangers: frozenset[str] = frozenset()

    def choose(self, sightings: Iterable[S]) -> tuple[list[S], float]:
        """Tell who fits, and for how many seconds to listen for somebody who fits better."""
        heard = list(sightings)
        addresses = {self.asked, self.known.address if self.known else None} - {None}
        same = [s for s in heard if any(_same_address(s.seen.address, str(a)) for a in addresses)]
        if same:
            return same[:1], 0.0
        fresh = [s for s in heard if s.seen.address not in self.strangers]
        names = {self.asked, self.known.name if self.known else None} - {None, ""}
        named = [s for s in fresh if s.seen.name in names]
        if named:
            return named, _SETTLE_RETURN if self.known else _SETTLE_NAME
        if self.asked is None:
            return [s for s in fresh if s.seen.has_smp], _SETTLE_SERVICE
        return [], 0.0


async def collect(
    seconds: float,
    until: Until[S],
    heard: Mapping[str, S],
    changed: asyncio.Event,
    silence: Callable[[], float] = lambda: 0.0,
) -> list[S]:
    """Wait for at most `seconds` while a stack fills `heard`; the strongest first.

    The stack sets `changed` with every new entry. `silence` tells for how many seconds so far
    nothing could be heard; they do not count.
    """
    loop = asyncio.get_running_loop()
    start = loop.time() - silence()
    fits_since: float | None = None
    while (now := loop.time()) < (end := start + silence() + seconds):
        changed.clear()
        pause = until(list(heard.values()))
        wake = end
        if pause is None:
            fits_since = None
        else:
            fits_since = now if fits_since is None else fits_since
            wake = min(end, fits_since + pause)
            if now >= wake:
                break
        await _wait(changed, wake - now)
    return sorted(heard.values(), key=lambda s: s.seen.rssi or -1000, reverse=True)


async def find(
    target: Target,
    seconds: float,
    listen: Callable[[float, Until[S]], Awaitable[list[S]]],
    is_taken: Callable[[str], bool] = lambda address: False,
) -> tuple[S, frozenset[str]]:
    """Find the target; also return the addresses of all others that were heard.

    `is_taken` tells of an address or a name whether another link of this run has that device.
    Raises `DfuBleError` LK402 with the list of what was heard if nobody fits, or more than one;
    LK410 if the one that fits is taken.
    """

    def choose(heard: Sequence[S]) -> tuple[list[S], float]:
        return target.choose(s for s in heard if not is_taken(s.seen.address))

    def until(heard: Sequence[S]) -> float | None:
        fitting, pause = choose(heard)
        return pause if fitting else None

    heard = await listen(seconds, until)
    fitting, _ = choose(heard)
    # One that is connected advertises no more.
    taken = target.choose(heard)[0] or (target.asked is not None and is_taken(target.asked))
    if not fitting and taken and target.known is None:
        raise _taken(target)
    if not fitting:
        raise _nobody(target, seconds, heard)
    if len(fitting) > 1 and target.known is None:
        raise _too_many(target, fitting)
    chosen = fitting[0]
    others = frozenset(s.seen.address for s in heard) - {chosen.seen.address}
    return chosen, others


def describe(seen: Seen) -> str:
    """Write one device in one line; names of strangers are bytes of strangers."""
    strength = "" if seen.rssi is None else f", {seen.rssi} dBm"
    service = ", SMP service" if seen.has_smp else ""
    return f"{seen.name or '(no name)'} at {seen.address}{strength}{service}"


def printable(name: str) -> str:
    """Return a name without what would upset a terminal; names are bytes of strangers."""
    return "".join(c if c.isprintable() else "?" for c in name)


def _same_address(one: str, other: str) -> bool:
    return plain_address(one) == plain_address(other)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except asyncio.TimeoutError:  # in Python 3.10 not the built-in one
        return


def _list(heard: Sequence[Sighting]) -> list[str]:
    lines = [f"seen: {describe(s.seen)}" for s in heard[:_LISTED]]
    if len(heard) > _LISTED:
        lines.append(f"and {len(heard) - _LISTED} more, weaker ones")
    return lines or ["no device at all was seen"]


def _nobody(target: Target, seconds: float, heard: Sequence[Sighting]) -> DfuBleError:
    if target.asked is None:
        message = f"no device with the SMP service was seen in {seconds:.0f} s"
        first = (
            "many devices advertise their name and not their services: "
            "give the name or the address with --device"
        )
    else:
        message = f"no device {target.asked!r} was seen in {seconds:.0f} s"
        first = "give a name exactly as it is listed here, or the address"
    return fault(
        "LK402",
        message,
        why="An update begins with a connection to the device.",
        notes=_list(heard),
        helps=[
            first,
            "see that the device is powered and advertises; "
            "one that is connected, to a phone for example, does not",
        ],
        data={"seen": [vars(s.seen) for s in heard]},
    )


def _taken(target: Target) -> DfuBleError:
    asked = "the device" if target.asked is None else repr(target.asked)
    return fault(
        "LK410",
        f"{asked} is a device that this run updates already",
        why="Two uploads to one device spoil each other's data.",
        helps=["name every device once: its name and its address are two names of one device"],
    )


def _too_many(target: Target, fitting: Sequence[Sighting]) -> DfuBleError:
    what = "with the SMP service" if target.asked is None else f"named {target.asked!r}"
    return fault(
        "LK402",
        f"{len(fitting)} devices {what} are in range",
        why="Which of them is meant cannot be told, and the wrong one must not be updated.",
        notes=_list(fitting),
        helps=["give the address of the one that is meant with --device"],
        data={"seen": [vars(s.seen) for s in fitting]},
    )
