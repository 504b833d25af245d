# SPDX-License-Identifier: Apache-2.0
"""What exports say of a published checkpoint, read once for all of them.

What nobody said or measured is empty or None here, and no export invents it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.conf import settings

from assay.signing.digests import as_id
from assay.signing.manifest import SIGNATURE_NAME, SIGSTORE_NAME, FileEntry
from assay.signing.policies import Policy
from assay.signing.pseudonyms import Signatory
from assay.signing.statements import (
    CheckpointClaim,
    ConductReference,
    DatasetClaim,
    RunClaim,
    Statement,
)
from registry.conduct import queries as conduct
from registry.conduct.queries import PolicyVersion
from registry.ledger import queries as ledger

from ... import queries
from ...content import contents, described
from ...content.contents import Contents
from ...content.described import Described
from ...errors import NotFound
from ...models import Checkpoint, Dataset, Project, State
from .. import citing, evaluations, lineage
from ..citing import Cited
from ..evaluations import Said
from ..lineage import Parent

SECONDS = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Something that the checkpoint was made from."""

    name: str
    """Of a project, as the card or a proof names it; or a checkpoint's id."""
    why: str
    """Who says so, or what proves it."""
    url: str = ""
    """Its page, where it is here and everybody sees it."""
    sha256: str = ""
    """The checkpoint's id, if a checkpoint is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A checkpoint, as far as the registry knows it."""

    cited: Cited
    name: str
    """`owner/project`."""
    published_at: datetime
    files: tuple[FileEntry, ...]
    has_sigstore: bool
    signer: Signatory
    """Who signed the statement about the checkpoint."""
    said: Described
    card: Mapping[str, object]
    contents: Contents
    run: RunClaim | None
    data: DatasetClaim | None
    data_at: datetime | None
    """When the data set was added."""
    policy: PolicyVersion
    origins: tuple[Origin, ...]
    evaluations: tuple[Said, ...]
    """Those that nobody withdrew: the newest of the owner's people, and of others."""
    access: str
    """To whom its files are given."""
    is_taken_down: bool

    @property
    def full_name(self) -> str:
        """`owner/project@name`."""
        return f"{self.name}@{self.cited.version}"

    @property
    def sha256(self) -> str:
        """The checkpoint's id, in hexadecimal."""
        return self.cited.id.removeprefix("sha256:")

    @property
    def published(self) -> str:
        """When, in whole seconds."""
        return self.published_at.strftime(SECONDS)

    @property
    def conduct(self) -> ConductReference:
        """The rules that it is released under, as statements name them."""
        return conduct.reference(self.policy)

    @property
    def rules(self) -> Policy:
        """What these permit and forbid."""
        return conduct.rules(self.policy)

    @property
    def conduct_page(self) -> str:
        """For people; the document is behind it, at `/policy.json`."""
        return settings.PUBLIC_URL + self.policy.path

    @property
    def evidence_url(self) -> str:
        """All that `assay verify` needs."""
        by_id = f"{settings.PUBLIC_URL}/api/v1/checkpoints/{self.cited.id}"
        return f"{by_id}/evidence?project={self.name}"

    @property
    def manifest_url(self) -> str:
        """The document whose SHA-256 is the id."""
        return f"{settings.PUBLIC_URL}/api/v1/checkpoints/{self.cited.id}/manifest"

    def file_url(self, name: str) -> str:
        """Where a file's bytes are."""
        return f"{self.cited.url}/files/{quote(name)}"

    def signatures(self) -> tuple[str, ...]:
        """The names of the signatures beside the files."""
        return (SIGNATURE_NAME, SIGSTORE_NAME) if self.has_sigstore else (SIGNATURE_NAME,)

    def evaluation_url(self, of: Said) -> str:
        """The evidence of an evaluation."""
        project = f"{settings.PUBLIC_URL}/api/v1/projects/{self.name}"
        return f"{project}/checkpoints/{self.cited.version}/evaluations/{of.row.key}/evidence"


def of(checkpoint: Checkpoint) -> Facts:
    """As things are now; raises NotFound for what is not published."""
    said = evaluations.newest(checkpoint)
    return _facts(
        checkpoint,
        citing.cited(checkpoint),
        origins=(*_parents(checkpoint), *_continued(queries.run_claim(checkpoint))),
        said=tuple(each for each in (*said.members, *said.others) if not each.is_withdrawn),
    )


def stated(checkpoint: Checkpoint) -> Facts:
    """Only what was signed when it was published, or follows from its files: the same for ever.

    Under the name that it was published by, which leads on where its project moved.
    """
    now = citing.cited(checkpoint)
    _, statement = _logged(checkpoint)
    claim = CheckpointClaim.parse(Statement.parse(bytes(statement.payload)))
    full_name = f"{claim.project}@{claim.name}"
    cited = Cited(
        title=full_name,
        author=claim.owner,
        author_url=f"{settings.PUBLIC_URL}/{claim.owner}",
        version=claim.name,
        summary="",
        published_on=now.published_on,
        url=f"{settings.PUBLIC_URL}/{claim.project}/{claim.name}",
        id=now.id,
        entry=now.entry,
        entry_url=now.entry_url,
        licence=now.licence,
        tags=now.tags,
        verify=f"assay download {full_name} --registry {settings.PUBLIC_URL}",
        doi="",
    )
    said = described.of(checkpoint)
    origins = (*_declared(said, by=claim.project), *_continued(queries.run_claim(checkpoint)))
    return _facts(checkpoint, cited, origins=origins, said=(), name=claim.project)


def has_data(of: Checkpoint) -> bool:
    """Whether it names a data set, and what was signed of that is kept."""
    return of.dataset is not None and not ledger.is_blank(of.dataset.statement)


def dataset_claim(of: Dataset | None) -> DatasetClaim | None:
    """What its owner signed of a data set."""
    if of is None or ledger.is_blank(of.statement):
        return None
    return DatasetClaim.parse(Statement.parse(bytes(of.statement.payload)))


def _facts(
    of: Checkpoint,
    cited: Cited,
    *,
    origins: tuple[Origin, ...],
    said: tuple[Said, ...],
    name: str = "",
) -> Facts:
    published_at, statement = _logged(of)
    signer = ledger.signatories([statement])[statement.sha256]
    return Facts(
        cited=cited,
        name=name or of.project.full_name,
        published_at=published_at,
        files=queries.manifest(of).files,
        has_sigstore=queries.sigstore(of) is not None,
        signer=Signatory(uri=signer.uri) if name else signer,
        said=described.of(of),
        card=of.front_matter or {},
        contents=contents.of(of),
        run=queries.run_claim(of),
        data=dataset_claim(of.dataset),
        data_at=of.dataset.created_at if of.dataset else None,
        policy=of.conduct,
        origins=origins,
        evaluations=said,
        access=_access(of.project),
        is_taken_down=of.state == State.TAKEN_DOWN,
    )


def _access(project: Project) -> str:
    if not project.is_public:
        return "the owner's people"
    return "those whom the owner lets in" if project.is_gated else "everybody"


def _logged(of: Checkpoint) -> tuple[datetime, ledger.Statement]:
    if of.published_at is None or of.statement is None:
        raise NotFound("expected a published checkpoint, found one that is not")
    return of.published_at, of.statement


def _declared(said: Described, *, by: str) -> Iterator[Origin]:
    for name in said.base_models:
        if name != by:  # of its own project it is another checkpoint, and says not which
            yield Origin(name=name, why=_word_of_the_card(said.relation))


def _continued(run: RunClaim | None) -> Iterator[Origin]:
    if run is not None and run.parent_sha256 is not None:
        sha256 = run.parent_sha256
        why = "the signed statement of its run: it was continued from there"
        yield Origin(name=as_id(sha256), why=why, sha256=sha256)


def _parents(of: Checkpoint) -> Iterator[Origin]:
    """Of projects that everybody sees, so that an export is the same for all."""
    for parent in lineage.parents(of):
        found = "; ".join(_reasons(parent))
        url = settings.PUBLIC_URL + parent.project.path if parent.project else ""
        yield Origin(name=parent.name, why=found, url=url)


def _reasons(parent: Parent) -> Iterator[str]:
    if parent.is_declared:
        yield _word_of_the_card(parent.relation)
    if parent.same:
        yield f"{len(parent.same)} of {parent.weights} files of weights are the very same there"
    if parent.descent is not None:
        same, total = parent.descent.same, parent.descent.of
        there = parent.descent.parent.full_name
        yield f"{same} of {total} tensors are the very same in {there}"


def _word_of_the_card(relation: str) -> str:
    return f"its card declares it ({relation})" if relation else "its card declares it"
