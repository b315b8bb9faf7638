# SPDX-License-Identifier: Apache-2.0
"""Rehearse an update: the real update of a build against a virtual device made from that build.

`Rehearsal` is the door for Python: made from a build directory, given faults, played as often as
wanted, each time against a device of its own. `play` is one run, `run_matrix` one for every fault
in every phase. In all of them time passes at once.
"""

from .matrix import Trial, run_matrix
from .placing import Cue, Mark, PlacedFault, Prompter, parse_placed_fault
from .play import Over, Run, Scene, play
from .rehearsal import Rehearsal, RehearsalResult

__all__ = [
    "Cue",
    "Mark",
    "Over",
    "PlacedFault",
    "Prompter",
    "Rehearsal",
    "RehearsalResult",
    "Run",
    "Scene",
    "Trial",
    "parse_placed_fault",
    "play",
    "run_matrix",
]
