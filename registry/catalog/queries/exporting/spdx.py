# SPDX-License-Identifier: Apache-2.0
"""A checkpoint as an SPDX 3.0.1 document (JSON-LD) with the profiles for AI and data sets.

Element ids are the checkpoint's page and a word, so that the same checkpoint has the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.conf import settings

from assay.signing.digests import as_id

from .facts import SECONDS, Facts, Origin
from .licences import expression

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
VERSION = "3.0.1"
CREATION = "_:creation"
PROFILES = ("core", "software", "simpleLicensing", "ai", "dataset")
Element = Mapping[str, object]


def document(of: Facts) -> dict[str, object]:
    """The whole graph: the checkpoint, its files, its data, its licence, what it was made from."""
    described = [*_agents(of), _model(of), *_files(of), *_data(of), *_origins(of), *_licences(of)]
    whole: dict[str, object] = {
        "type": "SpdxDocument",
        "spdxId": _id(of, "document"),
        "creationInfo": CREATION,
        "name": of.full_name,
        "profileConformance": list(PROFILES),
        "rootElement": [_id(of, "model")],
        "element": [each["spdxId"] for each in described],
    }
    creation = {
        "type": "CreationInfo",
        "@id": CREATION,
        "specVersion": VERSION,
        "created": of.published,
        "createdBy": [_id(of, "registry")],
    }
    return {"@context": CONTEXT, "@graph": [creation, whole, *described]}


def _id(of: Facts, word: str) -> str:
    return f"{of.cited.url}#spdx-{word}"


def _element(of: Facts, kind: str, word: str, **said: object) -> Element:
    """With what every element has; what is said of it as None or empty is left out."""
    known = {name: value for name, value in said.items() if value not in (None, "", [])}
    return {"type": kind, "spdxId": _id(of, word), "creationInfo": CREATION, **known}


def _agents(of: Facts) -> Iterator[Element]:
    yield _element(of, "Organization", "registry", name=of.cited.publisher)
    yield _element(
        of,
        "Agent",
        "owner",
        name=of.cited.author,
        externalIdentifier=[_identifier("other", of.cited.author_url)],
    )


def _model(of: Facts) -> Element:
    return _element(
        of,
        "ai_AIPackage",
        "model",
        name=of.name,
        summary=of.cited.title,
        description=of.cited.summary,
        comment=_comment(of),
        software_packageVersion=of.cited.version,
        software_downloadLocation=of.cited.url,
        software_homePage=f"{settings.PUBLIC_URL}/{of.name}",
        software_primaryPurpose="model",
        suppliedBy=_id(of, "owner"),
        releaseTime=of.published,
        verifiedUsing=[_hash(of.sha256, "Of the canonical manifest: names, sizes and digests")],
        externalIdentifier=list(_identifiers(of)),
        externalRef=list(_references(of)),
        ai_domain=[of.said.task] if of.said.task else [],
        ai_hyperparameter=_dictionary(_hyperparameters(of)),
        ai_metric=_dictionary(_metrics(of)),
        ai_informationAboutTraining=_training(of),
    )


def _comment(of: Facts) -> str:
    down = "The registry took it down and serves its files no more. " if of.is_taken_down else ""
    return f"{down}{of.cited.note}"


def _identifiers(of: Facts) -> Iterator[Element]:
    yield _identifier("other", of.cited.id, "The checkpoint's id", of.manifest_url)
    entry = f"{settings.LEDGER_ORIGIN}#{of.cited.entry}"
    yield _identifier("other", entry, "Its entry in the ledger", of.cited.entry_url)
    if of.cited.doi:
        yield _identifier("other", of.cited.doi, "DOI", f"https://doi.org/{of.cited.doi}")


def _references(of: Facts) -> Iterator[Element]:
    conduct = f"{of.conduct.id} {of.conduct.version}, sha256:{of.conduct.sha256}"
    yield _reference("other", of.evidence_url, "Evidence: all that `assay verify` needs")
    for name in of.signatures():
        yield _reference("other", of.file_url(name), f"{name}: the signature over the files")
    yield _reference("documentation", of.conduct_page, f"Conduct policy {conduct}")
    yield _reference("documentation", f"{of.conduct_page}/policy.json", f"Its document: {conduct}")
    for each in of.evaluations:
        who = each.signer.known_as
        task = each.claim.result.task
        yield _reference("metrics", of.evaluation_url(each), f"{task}: evaluated by {who}, signed")


def _hyperparameters(of: Facts) -> Iterator[tuple[str, str]]:
    if of.contents.count is not None:
        yield "parameters", str(of.contents.count)
    for dtype, count in of.contents.parameters.items():
        yield f"parameters.{dtype}", str(count)


def _metrics(of: Facts) -> Iterator[tuple[str, str]]:
    if of.run is not None:
        yield "train loss, nats per byte", of.run.train_loss
        yield "validation loss, nats per byte", of.run.validation_loss
    for said in of.evaluations:
        result = said.claim.result
        about = f"{result.task} on {result.dataset.name}, said by {said.signer.known_as}"
        for metric in result.metrics:
            error = f" ± {metric.standard_error}" if metric.standard_error else ""
            yield f"{metric.name}: {about}", f"{metric.value}{error}"


def _training(of: Facts) -> str:
    run = of.run
    if run is None:
        return ""
    times = f"{run.started_at.strftime(SECONDS)} to {run.finished_at.strftime(SECONDS)}"
    return (
        f"Run {run.run}, step {run.step}, {run.bytes_seen} bytes seen, {times}, by the signed "
        f"statement of node {run.node}; trainer {run.recipe.get('trainer', 'not named')}"
    )


def _files(of: Facts) -> Iterator[Element]:
    words = [f"file-{number}" for number, _ in enumerate(of.files, 1)]
    for word, file in zip(words, of.files, strict=True):
        yield _element(
            of,
            "software_File",
            word,
            name=file.name,
            verifiedUsing=[_hash(file.sha256)],
            externalRef=[_reference("binaryArtifact", of.file_url(file.name))],
        )
    yield _relationship(of, "contains", "model", words, is_whole=True)


def _data(of: Facts) -> Iterator[Element]:
    if of.data is None or of.data_at is None:
        return
    url = f"{settings.PUBLIC_URL}/files?digest={of.data.manifest_sha256}"
    yield _element(of, "Agent", "data-owner", name=of.data.owner)
    yield _element(
        of,
        "dataset_DatasetPackage",
        "data",
        name=of.data.name,
        summary=of.data.title,
        software_packageVersion=as_id(of.data.manifest_sha256),
        software_downloadLocation=url,
        software_primaryPurpose="data",
        software_sourceInfo=of.data.source,
        originatedBy=[_id(of, "data-owner")],
        releaseTime=of.data_at.strftime(SECONDS),
        builtTime=of.data_at.strftime(SECONDS),
        verifiedUsing=[_hash(of.data.manifest_sha256, "Of the canonical manifest of its files")],
        dataset_datasetType=["text"],
        dataset_datasetSize=of.data.bytes,
        dataset_dataCollectionProcess=of.data.source,
    )
    yield _relationship(of, "trainedOn", "model", ["data"])


def _origins(of: Facts) -> Iterator[Element]:
    for number, origin in enumerate(of.origins, 1):
        word = f"origin-{number}"
        yield _element(
            of,
            "software_Package",
            word,
            name=origin.name,
            software_primaryPurpose="model",
            software_homePage=origin.url,
            verifiedUsing=_hashes(origin),
        )
        yield _relationship(of, "descendantOf", "model", [word], comment=origin.why)


def _hashes(of: Origin) -> Sequence[Element]:
    return [_hash(of.sha256, "Of the canonical manifest")] if of.sha256 else []


def _licences(of: Facts) -> Iterator[Element]:
    data = of.data.license if of.data is not None else ""
    for word, licence in (("model", of.cited.licence), ("data", data)):
        if licence:
            found = expression(licence)
            yield _element(
                of,
                "simplelicensing_LicenseExpression",
                f"{word}-licence",
                simplelicensing_licenseExpression=found,
                comment=f"As declared: {licence}" if found != licence else "",
            )
            yield _relationship(of, "hasDeclaredLicense", word, [f"{word}-licence"])


def _relationship(
    of: Facts,
    kind: str,
    start: str,
    ends: Sequence[str],
    *,
    comment: str = "",
    is_whole: bool = False,
) -> Element:
    return _element(
        of,
        "Relationship",
        f"{kind}-{ends[0]}".lower(),
        relationshipType=kind,
        to=[_id(of, each) for each in ends],
        completeness="complete" if is_whole else None,
        comment=comment,
        **{"from": _id(of, start)},
    )


def _hash(sha256: str, comment: str = "") -> Element:
    found = {"type": "Hash", "algorithm": "sha256", "hashValue": sha256}
    return {**found, "comment": comment} if comment else found


def _identifier(kind: str, value: str, comment: str = "", locator: str = "") -> Element:
    found: dict[str, object] = {
        "type": "ExternalIdentifier",
        "externalIdentifierType": kind,
        "identifier": value,
    }
    if comment:
        found |= {"comment": comment, "identifierLocator": [locator]}
    return found


def _reference(kind: str, url: str, comment: str = "") -> Element:
    found = {"type": "ExternalRef", "externalRefType": kind, "locator": [url]}
    return {**found, "comment": comment} if comment else found


def _dictionary(pairs: Iterator[tuple[str, str]]) -> Sequence[Element]:
    return [{"type": "DictionaryEntry", "key": key, "value": value} for key, value in pairs]
