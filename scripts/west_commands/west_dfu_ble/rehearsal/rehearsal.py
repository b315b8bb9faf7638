# SPDX-License-Identifier: Apache-2.0
"""A build's update, ready to be played as often as wanted: the door for Python and its tests."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from .. import builddir, image
from ..builddir import ArtifactKind, Build
from ..diagnostics import Diagnostic
from ..update import (
    Candidate,
    UpdateOptions,
    candidates_from_build,
    candidates_from_signed,
    knowledge_from_build,
)
from ..virtual import Fault, FaultKind, VirtualDevice, profile_from_build
from .matrix import Trial, run_matrix
from .placing import Cue, PlacedFault, parse_placed_fault, place
from .play import Over, Run, Scene, play

_LAST_LINES = 12


@dataclass(frozen=True, repr=False)
class RehearsalResult:
    """How one rehearsed update ended.

    `error` is what ended it, `None` for an update that was done. `running` is the version that the
    device runs now (`None` if nothing runs), `runs_update` whether that is an image of the build.
    `is_true`: the device boots an image that is valid for its key, it is the one that was reported,
    and it still is after another reset. `seconds` the update took, `seconds_lost` of them more than
    without a fault; both in the device's time, in which the air takes none. `log` is what the
    bootloader and the application said; `device` is there to be looked at, or asked; it has been
    reset once more since.
    """

    error: Diagnostic | None
    running: str | None
    runs_update: bool
    is_true: bool
    seconds: float
    seconds_lost: float
    sentence: str
    log: tuple[str, ...]
    device: VirtualDevice

    @property
    def is_done(self) -> bool:
        """Whether the update was done, as the device proved."""
        return self.error is None

    @property
    def code(self) -> str:
        """The error's code (``DV506``), empty if there is none."""
        return self.error.code if self.error else ""

    def __repr__(self) -> str:
        """One line, for the message of a failed assertion."""
        ended = f"{self.error.code} {self.error.message}" if self.error else "the update was done"
        truth = "" if self.is_true else "; that is NOT what the device is in"
        return f"<{ended}; {self.sentence}{truth}>"

    def __str__(self) -> str:
        """The same, with the last lines of the device's log."""
        return "\n".join([repr(self)[1:-1], *(f"  {line}" for line in self.log[-_LAST_LINES:])])


class _Stage:
    """A scene, and its run without a fault, which is played once when it is needed."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @cached_property
    def clean(self) -> Run:
        return play(self.scene)


class Rehearsal:
    """The update of one build; `update` plays it, against a new device each time.

    It never changes: `with_fault` and the like return another one.
    """

    def __init__(self, scene: Scene) -> None:
        """Play a scene of one's own making; `from_build` is the usual way."""
        self._stage = _Stage(scene)
        self._faults: tuple[PlacedFault, ...] = ()

    @classmethod
    def from_build(
        cls,
        build: Path | str | Build,
        *,
        running: Path | str | bytes | None = None,
        version: str | None = None,
        options: UpdateOptions | None = None,
    ) -> Rehearsal:
        """Rehearse the update of a finished build directory.

        `running` is the image that the field runs now: a signed ``.bin``, a package, or its bytes;
        by default this application with `version`, itself by default the next lower one. The update
        images are those in the build directory; if there are none they are signed, in memory.
        Nothing is written to the build directory.

        Raises `DfuBleError`: EN0xx for a build that can't be read, IM3xx for images and keys, DV513
        for a build without slots or with a bootloader mode that can't be played.
        """
        loaded = build if isinstance(build, Build) else builddir.load(Path(build))
        field = Path(running) if isinstance(running, str) else running
        return cls(
            Scene(
                profile_from_build(loaded, field, version=version),
                _candidates(loaded),
                knowledge_from_build(loaded),
                options or UpdateOptions(),
            )
        )

    @property
    def scene(self) -> Scene:
        """The device, the images and the options."""
        return self._stage.scene

    def with_fault(
        self,
        kind: FaultKind | str,
        at: int | str = "upload",
        *,
        times: int = 1,
        seconds: float | None = None,
    ) -> Rehearsal:
        """Let something go wrong, in addition to what does already.

        `kind` is called as on the command line (``"disconnect"``). `at` is a phase of the update
        (``"upload"``, in its middle), a place in it (``"upload+25%"``), or a number: of the
        request, received byte or flash operation, from 0, see `FaultKind.counts`. It meets `times`
        of them in a row (for ``buffers-busy`` that many buffers). `seconds` is how late an answer
        is or how long an erase takes.

        Raises `ValueError` for what is no fault or no phase, or if nothing happens in the phase
        that the fault could strike.
        """
        name = kind.value if isinstance(kind, FaultKind) else kind
        text = f"{name}@{at}x{times}" + ("" if seconds is None else f":{seconds:f}s")
        return self.with_placed_fault(parse_placed_fault(text))

    def with_placed_fault(self, placed: PlacedFault) -> Rehearsal:
        """Let something go wrong; raises `ValueError` if nothing happens in the fault's phase."""
        if self._place(placed) is None:
            assert placed.phase is not None
            raise ValueError(
                f"nothing happens in the phase {placed.phase.value} of this update that "
                f"{placed.fault.kind.value} could strike"
            )
        return self._copy(self._stage, (*self._faults, placed))

    def with_options(self, options: UpdateOptions) -> Rehearsal:
        """Do the update in another way: no trial, no confirmation, other patience."""
        return self._copy(_Stage(replace(self.scene, options=options)), self._faults)

    def over_bluetooth(self) -> Rehearsal:
        """Play over two real Bluetooth stacks with GATT instead of SMP alone; it takes longer."""
        return self._copy(_Stage(replace(self.scene, over=Over.BLE)), self._faults)

    def update(self) -> RehearsalResult:
        """Play the update once. What goes wrong is in the result; nothing is raised for it."""
        clean = self._stage.clean
        run = play(self.scene, self.faults()) if self._faults else clean
        return _result(run, clean)

    def faults(self) -> list[Fault | Cue]:
        """Return the faults at their places."""
        return [found for placed in self._faults if (found := self._place(placed)) is not None]

    def fault_matrix(self, kinds: Collection[FaultKind] = tuple(FaultKind)) -> list[Trial]:
        """Play every fault in every phase that it can strike, as ``rehearse --faults`` does.

        Raises the `DfuBleError` of the run without a fault, if that fails.
        """
        return run_matrix(self.scene, kinds=kinds)

    def _place(self, placed: PlacedFault) -> Fault | Cue | None:
        if placed.phase is None:
            return placed.fault  # for which nothing has to be played
        clean = self._stage.clean
        return place(placed, clean.marks, clean.end)

    def _copy(self, stage: _Stage, faults: tuple[PlacedFault, ...]) -> Rehearsal:
        other = Rehearsal(stage.scene)
        other._stage, other._faults = stage, faults
        return other


def _candidates(build: Build) -> tuple[Candidate, ...]:
    if any(artifact.kind is ArtifactKind.UPDATE_IMAGE for artifact in build.artifacts):
        return candidates_from_build(build, image.build_key(build))
    with tempfile.TemporaryDirectory() as folder:
        signed = image.sign_build(build, output=Path(folder))
        return candidates_from_signed(signed)


def _result(run: Run, clean: Run) -> RehearsalResult:
    return RehearsalResult(
        error=run.error.diagnostic if run.error else None,
        running=str(run.running.version) if run.running else None,
        runs_update=run.runs_update,
        is_true=run.is_true,
        seconds=run.seconds,
        seconds_lost=run.seconds - clean.seconds,
        sentence=run.sentence,
        log=run.log,
        device=run.device,
    )
