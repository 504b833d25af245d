# SPDX-License-Identifier: Apache-2.0
"""What changes the catalogue: projects, data sets, commits, refs, and the publish machine.

receive(Submission(...))   checks and keeps a checkpoint: state `received`
check, keep                the same in two steps, for who takes a lock in between
advance(checkpoint.pk)     takes it on: `signed`, `published` (or `rejected`)
advance_with_others(pk)    the same, with what else waits along
commit(Commit(...))        a branch's next revision, published when it returns
follow(project, oid)       what became of one whose end nobody saw
add_ref, remove_ref        branches and tags
propose, merge, …          pull requests (pulling.py, merging.py)
show, put_under, move, end what an owner decides of a project
set_gate, decide, grant    and of who has its files; ask, give_up: what whoever wants them does
settle_evaluations()       shows what was said of checkpoints, once the ledger includes it
sweep()                    advances whatever a crash or a lost nudge left behind
hash_waiting()             hashes the tensors of large files that something waits for
renew(), add_up()          list projects anew that an older version listed, and add up the facets
"""

from ..content.submission import RunEvidence, Submission
from ..queries.changes import Change, Put, Remove
from .admitting import ask, decide, give_up, grant, set_gate
from .advancing import advance
from .commits import Commit, commit, follow
from .datasets import Origin, add_dataset, standard_library
from .evaluating import settle_all as settle_evaluations
from .giving_back import give_back
from .governing import end, move, put_under, reach, show
from .merging import merge
from .naming import add_ref, remove_ref
from .projects import NewProject, create_project
from .pulling import (
    Proposal,
    comment,
    commit_to,
    edit,
    hide,
    propose,
    propose_changes,
    rename,
    set_status,
)
from .receiving import check, keep, receive
from .renewing import renew
from .stating import state
from .tallying import add_up
from .together import advance_with_others, hash_waiting, sweep

__all__ = [
    "Change",
    "Commit",
    "NewProject",
    "Origin",
    "Proposal",
    "Put",
    "Remove",
    "RunEvidence",
    "Submission",
    "add_dataset",
    "add_ref",
    "add_up",
    "advance",
    "advance_with_others",
    "ask",
    "check",
    "comment",
    "commit",
    "commit_to",
    "create_project",
    "decide",
    "edit",
    "end",
    "follow",
    "give_back",
    "give_up",
    "grant",
    "hash_waiting",
    "hide",
    "keep",
    "merge",
    "move",
    "propose",
    "propose_changes",
    "put_under",
    "reach",
    "receive",
    "remove_ref",
    "rename",
    "renew",
    "set_gate",
    "set_status",
    "settle_evaluations",
    "show",
    "standard_library",
    "state",
    "sweep",
]
