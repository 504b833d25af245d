# SPDX-License-Identifier: Apache-2.0
"""The tree of an output or a checkpoint as people read it: what each link says, by whom, when.

A page shows what is recorded; judging it is left to the reader's browser, `assay verify`, and the
programs of others that each link names (`strangers`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from cryptography import x509
from django.conf import settings
from django.utils.functional import Promise as StrPromise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assay.signing import timestamps
from assay.signing.bundle import Bundle
from assay.signing.evidence import Evidence, Part
from assay.signing.pseudonyms import Signatory
from assay.signing.statements import (
    CheckpointClaim,
    ConductClaim,
    DatasetClaim,
    Origin,
    OutputClaim,
    RunClaim,
    Statement,
    TakedownClaim,
)

from . import strangers
from .sizes import in_words
from .strangers import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a part's claim is about: `digest` is of the thing itself, not of the statement."""

    title: str
    says: str | StrPromise
    digest: str
    url: str = ""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One signed part of the evidence."""

    part: str
    said: Said
    statement: str
    """The statement's digest, by which others name it."""
    signer: Signatory
    signed_at: datetime
    entry: int
    checks: tuple[Check, ...]
    """How programs that we did not write judge it."""

    def with_token(self) -> Self:
        """The same link, whose checks are fetched with a token."""
        return replace(self, checks=tuple(check.with_token() for check in self.checks))

    def without_files(self) -> Self:
        """The same link, less what is checked of files."""
        kept = (each for each in self.checks if each.program != strangers.MODEL_SIGNING)
        return replace(self, checks=tuple(kept))


def links(
    evidence: Evidence,
    root: x509.Certificate,
    *,
    is_private: bool = False,
    has_files: bool = True,
) -> tuple[Link, ...]:
    """The parts that are there, from what was said down to the rules it was said under.

    `is_private` says that the output is its caller's alone; what stands behind it is everybody's.
    Where there are no files to fetch any more, no program is asked about them.
    """
    found = ((part, evidence.bundles.get(part)) for part in _TELLERS)
    made = [_link(part, bundle, evidence, root) for part, bundle in found if bundle]
    if not has_files:
        made = [link.without_files() for link in made]
    return tuple(
        link.with_token() if is_private and link.part == Part.OUTPUT else link for link in made
    )


def _link(part: Part, bundle: Bundle, evidence: Evidence, root: x509.Certificate) -> Link:
    statement = Statement.parse(bundle.envelope.payload)
    said = _TELLERS[part](statement, evidence)
    by = timestamps.authority(settings.PUBLIC_URL)
    signature = bundle.envelope.signature
    return Link(
        part=part.value,
        said=said,
        statement=statement.sha256,
        signer=_signer(bundle, evidence),
        signed_at=timestamps.verify(bundle.timestamp, data=signature, root=root, authority=by),
        entry=bundle.proof.index,
        checks=(*said.checks, strangers.openssl(statement.sha256)),
    )


def _output(statement: Statement, _evidence: Evidence) -> Said:
    claim = OutputClaim.parse(statement)
    return Said(
        title=_("Output"),
        says=_ORIGINS[claim.claim],
        digest=claim.exact_sha256,
        url=f"/outputs/{claim.output}",
        checks=(strangers.text_digest(claim.output, claim.exact_sha256),)
        if claim.claim is Origin.SERVER_GENERATED
        else (),
    )


def _checkpoint(statement: Statement, evidence: Evidence) -> Said:
    claim = CheckpointClaim.parse(statement)
    path = f"/{claim.project}/{claim.name}"
    return Said(
        title=_("Checkpoint %(name)s") % {"name": claim.name},
        says=_("%(project)s: %(files)d files, %(size)s; their names, sizes and digests.")
        % {
            "project": claim.project,
            "files": len(evidence.manifest.files),
            "size": in_words(evidence.manifest.size_bytes),
        },
        digest=claim.manifest_sha256,
        url=path,
        checks=(strangers.model_signing(path, evidence.manifest),),
    )


def _run(statement: Statement, evidence: Evidence) -> Said:
    claim = RunClaim.parse(statement)
    checkpoint = evidence.bundles[Part.CHECKPOINT]
    project = CheckpointClaim.parse(Statement.parse(checkpoint.envelope.payload)).project
    return Said(
        title=_("Training run"),
        says=_("Step %(step)d, validation loss %(loss)s; signed by the machine that trained it.")
        % {"step": claim.step, "loss": f"{float(claim.validation_loss):.2f}"},
        digest=statement.sha256,
        url=f"/{project}/runs/{claim.run}",
    )


def _dataset(statement: Statement, _evidence: Evidence) -> Said:
    claim = DatasetClaim.parse(statement)
    return Said(
        title=_("Data"),
        says=_("%(title)s: %(files)d files, %(size)s, %(license)s.")
        % {
            "title": claim.title,
            "files": claim.files,
            "size": in_words(claim.bytes),
            "license": claim.license,
        },
        digest=claim.manifest_sha256,
    )


def _conduct(statement: Statement, _evidence: Evidence) -> Said:
    claim = ConductClaim.parse(statement)
    path = f"/conduct/{claim.conduct.id}/{claim.conduct.version}"
    return Said(
        title=_("Conduct"),
        says=_("%(title)s, version %(version)s: the rules that all of the above name by digest.")
        % {"title": claim.title, "version": claim.conduct.version},
        digest=claim.conduct.sha256,
        url=path,
        checks=(strangers.policy_digest(path, claim.conduct.sha256),),
    )


def _takedown(statement: Statement, _evidence: Evidence) -> Said:
    claim = TakedownClaim.parse(statement)
    words = {"day": f"{claim.taken_down_at:%Y-%m-%d}", "reason": claim.reason}
    says = _("On %(day)s, by this registry: %(reason)s") % words
    if (breach := claim.breach) is not None:
        words |= {"clause": breach.clause, "policy": breach.conduct.id}
        says = _("On %(day)s, for clause %(clause)s of %(policy)s: %(reason)s") % words
    return Said(
        title=_("Taken down"),
        says=says,
        digest=statement.sha256,
    )


_ORIGINS: Mapping[Origin, StrPromise] = {
    Origin.SERVER_GENERATED: gettext_lazy(
        "This content, byte for byte, came out of the checkpoint below: our own program ran it."
    ),
    Origin.CALLER_ASSERTED: gettext_lazy(
        "The caller says that this content came out of the checkpoint below; we did not see it."
    ),
}

_TELLERS: Mapping[Part, Callable[[Statement, Evidence], Said]] = {
    Part.TAKEDOWN: _takedown,
    Part.OUTPUT: _output,
    Part.CHECKPOINT: _checkpoint,
    Part.RUN: _run,
    Part.DATASET: _dataset,
    Part.CONDUCT: _conduct,
}


def _signer(bundle: Bundle, evidence: Evidence) -> Signatory:
    """Whom the leaf certificate names, and who that is where the evidence says so."""
    names = bundle.chain.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    (uri,) = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    parties = {each.pseudonym(settings.PUBLIC_URL): each.party for each in evidence.openings}
    return Signatory(uri=uri, party=parties.get(uri))
