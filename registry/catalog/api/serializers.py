# SPDX-License-Identifier: Apache-2.0
"""Projects and checkpoints as the API shows them, and what it takes from a publisher."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from assay.signing.digests import as_id
from assay.signing.revocation import Revocation

from .. import queries
from ..content import contents, described
from ..content.contents import Contents
from ..content.described import Described
from ..content.formats import Tensor
from ..models import MAX_NAME, Checkpoint, Dataset, File, Gate, Project, State, Visibility
from ..models.found import Descent
from ..queries import dois, lineage
from ..queries.digests import Known, Place
from ..queries.lineage import Parent

SHOWN = [each for each in Visibility.choices if each[0] != Visibility.PULL]


class ConductSerializer(serializers.Serializer[object]):
    """The conduct version that something is released under."""

    id = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField()


class LossesSerializer(serializers.Serializer[object]):
    """What the node reported, in nats per byte, as decimal strings."""

    train = serializers.CharField()
    validation = serializers.CharField()


class SaidSerializer(serializers.Serializer[Described]):
    """What a model card says for programs; empty where it says nothing."""

    task = serializers.CharField(help_text="pipeline_tag")
    library = serializers.CharField(help_text="library_name")
    licence = serializers.CharField(help_text="an SPDX identifier, or LicenseRef-…")
    languages = serializers.ListField(child=serializers.CharField())
    tags = serializers.ListField(child=serializers.CharField())
    base_models = serializers.ListField(child=serializers.CharField())
    datasets = serializers.ListField(child=serializers.CharField())


class ParametersSerializer(serializers.Serializer[Contents]):
    """How many numbers the weights have, by type, as their headers say."""

    total = serializers.IntegerField(source="count")
    by_type = serializers.DictField(source="parameters", child=serializers.IntegerField())


class TensorSerializer(serializers.Serializer[Tensor]):
    """One tensor."""

    name = serializers.CharField()
    dtype = serializers.CharField()
    shape = serializers.ListField(child=serializers.IntegerField())
    size_bytes = serializers.IntegerField()


class TensorsSerializer(serializers.Serializer[object]):
    """The tensors of a file, the first 500 in the order of their bytes."""

    file = serializers.CharField()
    count = serializers.IntegerField()
    listed = TensorSerializer(many=True)


class ContentsSerializer(serializers.Serializer[Contents]):
    """What is known of the files without opening them."""

    parameters = serializers.SerializerMethodField()
    tensors = serializers.SerializerMethodField()
    needs_remote_code = serializers.ListField(
        source="needing_code",
        child=serializers.CharField(),
        help_text="files for which loaders run Python of the checkpoint's own, if told to trust it",
    )

    @extend_schema_field(ParametersSerializer(allow_null=True))
    def get_parameters(self, of: Contents) -> dict[str, object] | None:
        return None if of.count is None else dict(ParametersSerializer(of).data)

    @extend_schema_field(TensorsSerializer(many=True))
    def get_tensors(self, of: Contents) -> list[dict[str, object]]:
        named = ({"file": name, "count": s.count, "listed": s.listed} for name, s in of.tensors)
        return [dict(TensorsSerializer(each).data) for each in named]


class DescentSerializer(serializers.Serializer[Descent]):
    """How many tensors of a checkpoint published before are in this one, byte for byte."""

    checkpoint = serializers.CharField(source="parent.full_name", help_text="owner/project@name")
    same = serializers.IntegerField()
    of = serializers.IntegerField(help_text="different tensors here whose sharing proves anything")


class ParentSerializer(serializers.Serializer[Parent]):
    """What it was made from: `same` files of weights, and tensors, are proof of it."""

    project = serializers.CharField(source="name", help_text="owner/name, as declared")
    relation = serializers.CharField(help_text="finetune, adapter, merge, quantized or empty")
    is_here = serializers.SerializerMethodField()
    same = serializers.ListField(child=serializers.CharField())
    weights = serializers.IntegerField(help_text="files of weights in this checkpoint")
    is_declared = serializers.BooleanField(help_text="by the card; else found by its tensors")
    tensors = DescentSerializer(source="descent", allow_null=True)

    def get_is_here(self, of: Parent) -> bool:
        """Whether there is such a project in this registry."""
        return of.project is not None


class ProjectSerializer(serializers.Serializer[Project]):
    """A project."""

    project = serializers.CharField(source="full_name", help_text="owner/name")
    title = serializers.CharField()
    summary = serializers.CharField()
    visibility = serializers.ChoiceField(choices=SHOWN)
    gate = serializers.ChoiceField(
        choices=Gate.choices, help_text="to whom its files are given, of those who see it"
    )
    conduct = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    task = serializers.CharField(source="listing.task")
    licence = serializers.CharField(source="listing.licence")
    parameters = serializers.IntegerField(source="listing.parameters", allow_null=True)
    trained = serializers.CharField(
        source="listing.trained", help_text="run: in the pool, by a signed run; person: elsewhere"
    )
    verified = serializers.CharField(
        source="listing.verified",
        help_text="what stands behind the revision on main: run (a machine's signed statement), "
        "publisher (a CI job's identity token) or person (their word)",
    )
    needs_remote_code = serializers.BooleanField(source="listing.needs_code")
    tags = serializers.ListField(source="listing.tags", child=serializers.CharField())
    downloads = serializers.IntegerField(source="listing.downloads")
    updated_at = serializers.DateTimeField(source="listing.updated_at")

    @extend_schema_field(ConductSerializer)
    def get_conduct(self, of: Project) -> dict[str, object]:
        return queries.conduct_of(of).to_json()

    def get_url(self, of: Project) -> str:
        return settings.PUBLIC_URL + of.path


class FileSerializer(serializers.Serializer[File]):
    """A file, and where its bytes are."""

    name = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()
    url = serializers.SerializerMethodField()

    def get_url(self, file: File) -> str:
        return queries.file_url(file)


class SigstoreSerializer(FileSerializer):
    """A Sigstore bundle, and what its clients want to be told: whom it names, who vouches."""

    identity = serializers.CharField()
    identity_provider = serializers.CharField()


class CheckpointSerializer(serializers.Serializer[Checkpoint]):
    """A checkpoint in a list. `url` is its page, or, until it is published, where to follow it."""

    id = serializers.SerializerMethodField()
    project = serializers.CharField(source="project.full_name")
    name = serializers.CharField()
    step = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=State.choices)
    reason = serializers.CharField(help_text="why it was rejected; else empty")
    url = serializers.SerializerMethodField()
    size_bytes = serializers.IntegerField()
    gate = serializers.ChoiceField(source="project.gate", choices=Gate.choices)
    run = serializers.CharField(source="run_id", allow_null=True)
    dataset = serializers.SerializerMethodField()
    conduct = serializers.SerializerMethodField()
    statement = serializers.SerializerMethodField()
    ledger_index = serializers.SerializerMethodField()
    received_at = serializers.DateTimeField()
    published_at = serializers.DateTimeField(allow_null=True)

    def get_id(self, of: Checkpoint) -> str:
        return as_id(of.manifest_sha256)

    def get_url(self, of: Checkpoint) -> str:
        return settings.PUBLIC_URL + (api_path(of) if of.published_at is None else of.path)

    def get_dataset(self, of: Checkpoint) -> str | None:
        return as_id(of.dataset.sha256) if of.dataset else None

    @extend_schema_field(ConductSerializer)
    def get_conduct(self, of: Checkpoint) -> dict[str, object]:
        return queries.conduct_of(of).to_json()

    def get_statement(self, of: Checkpoint) -> str | None:
        """The digest of the registry's own statement about it."""
        return of.statement.sha256 if of.statement else None

    def get_ledger_index(self, of: Checkpoint) -> int | None:
        """Where that statement is in the ledger."""
        return of.statement.entry.index if of.statement else None


class WholeCheckpointSerializer(CheckpointSerializer):
    """A checkpoint alone, with its files and what its run reported."""

    card = serializers.SerializerMethodField()
    contents = serializers.SerializerMethodField()
    made_from = serializers.SerializerMethodField()
    files = serializers.SerializerMethodField()
    signature = serializers.SerializerMethodField()
    sigstore = serializers.SerializerMethodField()
    losses = serializers.SerializerMethodField()
    doi = serializers.SerializerMethodField()

    @extend_schema_field(SaidSerializer)
    def get_card(self, of: Checkpoint) -> dict[str, object]:
        return dict(SaidSerializer(described.of(of)).data)

    @extend_schema_field(ContentsSerializer)
    def get_contents(self, of: Checkpoint) -> dict[str, object]:
        return dict(ContentsSerializer(contents.of(of)).data)

    @extend_schema_field(ParentSerializer(many=True))
    def get_made_from(self, of: Checkpoint) -> list[dict[str, object]]:
        viewer = self.context.get("viewer")
        return [dict(ParentSerializer(each).data) for each in lineage.parents(of, viewer)]

    @extend_schema_field(FileSerializer(many=True))
    def get_files(self, of: Checkpoint) -> list[dict[str, object]]:
        return [dict(FileSerializer(file).data) for file in queries.files(of)]

    @extend_schema_field(FileSerializer(allow_null=True))
    def get_signature(self, of: Checkpoint) -> dict[str, object] | None:
        """`model.sig`, once published."""
        signature = queries.signature(of)
        return dict(FileSerializer(signature).data) if signature else None

    @extend_schema_field(SigstoreSerializer(allow_null=True))
    def get_sigstore(self, of: Checkpoint) -> dict[str, object] | None:
        """`model.sigstore.json`, once published, and what Sigstore's clients want to be told."""
        found = queries.sigstore(of)
        if found is None:
            return None
        signer = queries.identity(of)
        who = {"identity": signer.name, "identity_provider": signer.issuer}
        return {**FileSerializer(found).data, **who}

    @extend_schema_field(LossesSerializer(allow_null=True))
    def get_losses(self, of: Checkpoint) -> dict[str, object] | None:
        claim = queries.run_claim(of)
        if claim is None:
            return None
        return {"train": claim.train_loss, "validation": claim.validation_loss}

    def get_doi(self, of: Checkpoint) -> str | None:
        """One that its owner asked for, once it resolves."""
        found = dois.registered(of)
        return found.doi if found else None


class RevokedSerializer(serializers.Serializer[Revocation]):
    """A certificate that was revoked."""

    serial = serializers.SerializerMethodField()
    reason = serializers.CharField()
    revoked_at = serializers.DateTimeField()
    invalid_from = serializers.DateTimeField(allow_null=True)

    def get_serial(self, of: Revocation) -> str:
        return f"{of.serial:x}"


class SignatorySerializer(serializers.Serializer[object]):
    """Who signed: what the certificate names, and whose that is where it may be said."""

    uri = serializers.CharField()
    party = serializers.CharField(allow_null=True)


class PlaceSerializer(serializers.Serializer[Place[Checkpoint]]):
    """A checkpoint that has a file, or that the digest is the id of."""

    checkpoint = CheckpointSerializer(source="within")
    files = serializers.ListField(source="names", child=serializers.CharField())
    has_more_files = serializers.BooleanField(source="has_more_names")
    signer = SignatorySerializer(source="signatory")
    revoked = RevokedSerializer(many=True)


class DatasetPlaceSerializer(serializers.Serializer[Place[Dataset]]):
    """A data set that has a file, or that the digest is the id of."""

    dataset = serializers.CharField(source="within", help_text="owner/name")
    id = serializers.SerializerMethodField()
    files = serializers.ListField(source="names", child=serializers.CharField())
    has_more_files = serializers.BooleanField(source="has_more_names")
    signer = SignatorySerializer(source="signatory")
    revoked = RevokedSerializer(many=True)

    def get_id(self, of: Place[Dataset]) -> str:
        return as_id(of.within.sha256)


class KnownSerializer(serializers.Serializer[Known]):
    """Where a digest was published."""

    sha256 = serializers.CharField()
    checkpoints = PlaceSerializer(many=True)
    datasets = DatasetPlaceSerializer(many=True)
    has_more = serializers.BooleanField(help_text="whether there are more than are listed")


@extend_schema_field(OpenApiTypes.OBJECT)
class ManifestField(serializers.JSONField):
    """docs/spec/formats.md, section 1; the manifest's own parser says what is wrong with it."""


class NewCheckpointSerializer(serializers.Serializer[Checkpoint]):
    """A person's upload: files that were put as blobs before."""

    name = serializers.CharField(max_length=MAX_NAME)
    manifest = ManifestField()


class AcknowledgedSerializer(serializers.Serializer[Checkpoint]):
    """202: durable, and on its way. Follow `url` until the state is `published`."""

    id = serializers.SerializerMethodField()
    state = serializers.ChoiceField(choices=State.choices)
    url = serializers.SerializerMethodField()

    def get_id(self, of: Checkpoint) -> str:
        return as_id(of.manifest_sha256)

    def get_url(self, of: Checkpoint) -> str:
        return settings.PUBLIC_URL + api_path(of)


def api_path(of: Checkpoint) -> str:
    """Where the checkpoint can be followed until it is published."""
    by_id = reverse("api-checkpoint-by-id", kwargs={"sha256": of.manifest_sha256})
    return f"{by_id}?project={of.project.full_name}"  # others may have the same files
