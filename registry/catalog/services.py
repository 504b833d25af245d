# SPDX-License-Identifier: Apache-2.0
"""What changes the catalogue: projects, data sets, and the publish machine.

receive(Submission(...))   checks and keeps a checkpoint: state `received`
check, keep                the same in two steps, for who takes a lock in between
advance(checkpoint.pk)     takes it on: `signed`, `published` (or `rejected`)
sweep()                    advances whatever a crash or a lost nudge left behind
"""

from .advance import advance, sweep
from .datasets import Origin, add_dataset, standard_library
from .projects import NewProject, create_project
from .receive import check, keep, receive
from .submission import RunEvidence, Submission

__all__ = [
    "NewProject",
    "Origin",
    "RunEvidence",
    "Submission",
    "add_dataset",
    "advance",
    "check",
    "create_project",
    "keep",
    "receive",
    "standard_library",
    "sweep",
]
