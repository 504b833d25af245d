# SPDX-License-Identifier: Apache-2.0
"""What changes the catalogue: projects, data sets, and the publish machine.

receive(Submission(...))   checks and keeps a checkpoint: state `received`
check, keep                the same in two steps, for who takes a lock in between
advance(checkpoint.pk)     takes it on: `signed`, `published` (or `rejected`)
advance_with_others(pk)    the same, with what else waits along
sweep()                    advances whatever a crash or a lost nudge left behind
"""

from .advance import advance
from .datasets import Origin, add_dataset, standard_library
from .projects import NewProject, create_project
from .receive import check, keep, receive
from .submission import RunEvidence, Submission
from .together import advance_with_others, sweep

__all__ = [
    "NewProject",
    "Origin",
    "RunEvidence",
    "Submission",
    "add_dataset",
    "advance",
    "advance_with_others",
    "check",
    "create_project",
    "keep",
    "receive",
    "standard_library",
    "sweep",
]
