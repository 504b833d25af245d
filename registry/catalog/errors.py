# SPDX-License-Identifier: Apache-2.0
"""What the catalogue refuses, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class NotFound(Problem):
    """Unknown, or not published yet and somebody else's: the answer is the same."""

    code = "not-found"
    title = "There is no such project, data set or checkpoint"
    status_code = 404


class InvalidName(Problem):
    """Not a name for a project, a data set or a checkpoint."""

    code = "invalid-name"
    title = "This is not a name that can be given"
    status_code = 422


class NameTaken(Problem):
    """The project has a checkpoint of this name, or the owner such a project or data set."""

    code = "name-taken"
    title = "This name is taken"
    status_code = 409


class AlreadyPublished(Problem):
    """These very files are a checkpoint already; the detail names it."""

    code = "already-published"
    title = "These files are a checkpoint already"
    status_code = 409


class MayNotPublish(Problem):
    """The caller does not act for the project's owner."""

    code = "may-not-publish"
    title = "You may not publish here"
    status_code = 403


class MayNotGovern(Problem):
    """Members publish; who sees a project, and its end, is for an owner to decide."""

    code = "may-not-govern"
    title = "This is for an owner to decide"
    status_code = 403


class AccessNeeded(Problem):
    """The project is gated, and its owner has not let the caller in; the detail says where to ask.

    Whoever sees it reads all that is said of it, and its signatures; its files are another thing.
    """

    code = "access-needed"
    title = "The owner decides who gets these files"
    status_code = 403


class NotGated(Problem):
    """Everybody who sees the project has its files: there is nothing to ask for."""

    code = "not-gated"
    title = "This project is not gated"


class AccessUnknown(Problem):
    """Nobody of this name asked for the project's files."""

    code = "access-unknown"
    title = "Nobody of this name has asked"
    status_code = 404


class AlreadyAdmitted(Problem):
    """They have the files: as a member of what owns the project, or because they were let in."""

    code = "already-admitted"
    title = "They have access already"
    status_code = 409


class TakenDown(AccessNeeded):
    """The registry took it down; the detail says why. What was signed about it stays."""

    code = "taken-down"
    title = "This was taken down"


class RulesDropped(Problem):
    """It is under rules that forbid less than those of what it was made from."""

    code = "conduct-dropped"
    title = "This must forbid what it was made from forbids"
    status_code = 409


class InvalidTakedown(Problem):
    """Nothing that stands was named, or no reason was given."""

    code = "invalid-takedown"
    title = "This cannot be taken down"
    status_code = 422


class BlobMissing(Problem):
    """A file of the manifest was not uploaded by this caller, or has another size."""

    code = "blob-missing"
    title = "Files of the manifest have not been uploaded"
    status_code = 422


class ContentRefused(Problem):
    """A file is not what its name says, or of a kind that a checkpoint does not hold."""

    code = "content-refused"
    title = "Files of the manifest cannot be published"
    status_code = 422


class RunStatementRefused(Problem):
    """The node's statement is not about this checkpoint, this run, or not by this node."""

    code = "run-statement-refused"
    title = "The run statement does not belong to this checkpoint"
    status_code = 422


class NoText(Problem):
    """A folder holds nothing that could be a data set."""

    code = "no-text"
    title = "The folder holds no text files"
    status_code = 422


class RevisionUnknown(Problem):
    """No branch, tag, pull request, oid or checkpoint of the project is called so."""

    code = "revision-unknown"
    title = "The project has no such revision"
    status_code = 404


class StaleParent(Problem):
    """The branch has moved since the commit was prepared: what came meanwhile is not undone."""

    code = "stale-parent"
    title = "The branch has moved meanwhile"
    status_code = 412


class RefBusy(Problem):
    """Another commit of this branch is being signed."""

    code = "ref-busy"
    title = "Another commit is on its way"
    status_code = 503


class InvalidRef(Problem):
    """Not a name for a branch or a tag, or one that cannot be made or taken away."""

    code = "invalid-ref"
    title = "This is no name for a branch or a tag"
    status_code = 422


class RefTaken(Problem):
    """The project has a branch, tag or pull request of this name."""

    code = "ref-taken"
    title = "This name is taken in the project"
    status_code = 409


class CommitRefused(Problem):
    """The changes do not fit the files that are there, or leave none."""

    code = "commit-refused"
    title = "These changes make no revision"
    status_code = 422


class CommitRejected(Problem):
    """It was received, and could not be signed; the detail says why."""

    code = "commit-rejected"
    title = "The commit could not be signed"
    status_code = 409


class PullUnknown(Problem):
    """The project has no pull request of this number."""

    code = "pull-unknown"
    title = "There is no such pull request"
    status_code = 404


class PullRefused(Problem):
    """What is said of a pull request, or wanted of it, cannot be."""

    code = "pull-refused"
    title = "This cannot be done with a pull request"
    status_code = 422


class PullDecided(Problem):
    """It was closed or merged, and takes no more."""

    code = "pull-decided"
    title = "The pull request has been decided"
    status_code = 409


class MergeConflict(Problem):
    """Files that it changes have been changed on `main` since; the detail names them."""

    code = "merge-conflict"
    title = "The pull request does not fit what is there now"
    status_code = 409


class NoDois(Problem):
    """The operator has no account with DataCite, or not all of one."""

    code = "no-dois"
    title = "This registry registers no DOIs"
    status_code = 404


class DoiUnknown(Problem):
    """Nobody asked for one."""

    code = "doi-unknown"
    title = "This checkpoint has no DOI"
    status_code = 404


class DoiRefused(Problem):
    """A DOI is for everybody and for ever: not for what only some see."""

    code = "doi-refused"
    title = "This checkpoint can have no DOI"
    status_code = 422


class MayNotEvaluate(Problem):
    """The caller does not act for the name in which a result would be said, or was."""

    code = "may-not-evaluate"
    title = "This is not yours to say"
    status_code = 403


class TooManyEvaluations(Problem):
    """One name has said as much of one checkpoint as it may; what is withdrawn counts, too."""

    code = "too-many-evaluations"
    title = "That is enough of one checkpoint"
    status_code = 409
