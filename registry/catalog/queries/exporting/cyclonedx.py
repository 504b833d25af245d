# SPDX-License-Identifier: Apache-2.0
"""A checkpoint as a CycloneDX 1.7 BOM: a machine-learning model with a model card, and its data."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping

from django.conf import settings

from assay.signing.digests import as_id
from assay.signing.manifest import FileEntry
from assay.signing.statements import DatasetClaim

from .facts import Facts
from .licences import expression

SCHEMA = "http://cyclonedx.org/schema/bom-1.7.schema.json"
VERSION = "1.7"
MODEL, DATA = "model", "data"  # how the parts of the document name each other
Part = Mapping[str, object]


def document(of: Facts) -> dict[str, object]:
    """The BOM; its serial number follows from all that is in it, so another content has another."""
    data = [_data(of.data)] if of.data is not None else []
    body: dict[str, object] = {
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "version": 1,
        "metadata": {
            "timestamp": of.published,
            "tools": {"components": [{"type": "application", "name": of.cited.publisher}]},
            "component": _model(of),
            "supplier": {"name": of.cited.author, "url": [of.cited.author_url]},
        },
        "components": data,
        "dependencies": [
            {"ref": MODEL, "dependsOn": [DATA] if data else []},
            *({"ref": DATA} for _ in data),
        ],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(body, sort_keys=True))
    return {"$schema": SCHEMA, "serialNumber": f"urn:uuid:{serial}", **body}


def _model(of: Facts) -> Part:
    return _said(
        {
            "type": "machine-learning-model",
            "bom-ref": MODEL,
            "supplier": {"name": of.cited.author, "url": [of.cited.author_url]},
            "publisher": of.cited.publisher,
            "group": of.name.partition("/")[0],
            "name": of.name.partition("/")[2],
            "version": of.cited.version,
            "description": of.cited.summary,
            "hashes": [_hash(of.sha256)],
            "licenses": _licences(of.cited.licence),
            "pedigree": _pedigree(of),
            "externalReferences": list(_references(of)),
            "components": [_file(of, each) for each in of.files],
            "modelCard": _card(of),
            "properties": _properties(_known(of)),
            "tags": list(dict.fromkeys(of.cited.tags)),
        }
    )


def _card(of: Facts) -> Part:
    parameters = {
        "task": of.said.task,
        "modelArchitecture": str(of.run.recipe.get("trainer", "")) if of.run else "",
        "datasets": [{"ref": DATA}] if of.data is not None else [],
    }
    metrics = list(_metrics(of))
    return _said(
        {
            "modelParameters": _said(parameters),
            "quantitativeAnalysis": {"performanceMetrics": metrics} if metrics else {},
            "properties": _properties(_counted(of)),
        }
    )


def _metrics(of: Facts) -> Iterator[Part]:
    if of.run is not None:
        unit, by = "loss, nats per byte", "said by the node of its run"
        yield {"type": unit, "value": of.run.train_loss, "slice": f"training; {by}"}
        yield {"type": unit, "value": of.run.validation_loss, "slice": f"held out; {by}"}
    for said in of.evaluations:
        result = said.claim.result
        about = f"{result.task} on {result.dataset.name}; said by {said.signer.known_as}"
        for metric in result.metrics:
            yield {"type": metric.name, "value": metric.value, "slice": about}
            if metric.standard_error is not None:
                kind = f"{metric.name}, standard error"
                yield {"type": kind, "value": metric.standard_error, "slice": about}


def _counted(of: Facts) -> Iterator[tuple[str, str]]:
    if of.contents.count is not None:
        yield "parameters", str(of.contents.count)
    for dtype, count in of.contents.parameters.items():
        yield f"parameters:{dtype}", str(count)


def _known(of: Facts) -> Iterator[tuple[str, str]]:
    yield "checkpoint", of.cited.id
    yield "ledger-entry", f"{settings.LEDGER_ORIGIN}#{of.cited.entry}"
    yield "signer", of.signer.known_as
    yield "verify", of.cited.verify
    yield "conduct", f"{of.conduct.id}/{of.conduct.version}"
    if of.run is not None:
        yield "run", of.run.run
        yield "step", str(of.run.step)
    if of.cited.doi:
        yield "doi", of.cited.doi
    if of.is_taken_down:
        yield "state", "taken-down"


def _references(of: Facts) -> Iterator[Part]:
    yield _reference("website", of.cited.url, "The checkpoint's page")
    yield _reference("evidence", of.evidence_url, "All that `assay verify` needs")
    for name in of.signatures():
        yield _reference("digital-signature", of.file_url(name), "Over all files")
    manifest = _reference("other", of.manifest_url, "The manifest, whose SHA-256 is the id")
    yield {**manifest, "hashes": [_hash(of.sha256)]}
    yield _reference("other", of.conduct_page, f"Conduct policy {of.conduct.id}, to read")
    policy = f"Conduct policy {of.conduct.id} {of.conduct.version}, as it was signed"
    document = _reference("other", f"{of.conduct_page}/policy.json", policy)
    yield {**document, "hashes": [_hash(of.conduct.sha256)]}
    for said in of.evaluations:
        about = f"{said.claim.result.task}: evaluated by {said.signer.known_as}, signed"
        yield _reference("quality-metrics", of.evaluation_url(said), about)


def _file(of: Facts, file: FileEntry) -> Part:
    return {
        "type": "file",
        "bom-ref": f"{MODEL}/{file.name}",
        "name": file.name,
        "hashes": [_hash(file.sha256)],
        "externalReferences": [_reference("distribution", of.file_url(file.name))],
    }


def _data(data: DatasetClaim) -> Part:
    url = f"{settings.PUBLIC_URL}/files?digest={data.manifest_sha256}"
    return _said(
        {
            "type": "data",
            "bom-ref": DATA,
            "group": data.owner,
            "name": data.name.partition("/")[2],
            "version": as_id(data.manifest_sha256),
            "description": data.title,
            "hashes": [_hash(data.manifest_sha256)],
            "licenses": _licences(data.license),
            "externalReferences": [_reference("distribution", url, "Where it was published")],
            "data": [{"type": "dataset", "name": data.title, "contents": {"url": url}}],
            "properties": _properties(
                [
                    ("source", data.source),
                    ("files", str(data.files)),
                    ("bytes", str(data.bytes)),
                ]
            ),
        }
    )


def _pedigree(of: Facts) -> Part:
    """What it was made from, with who says so."""
    if not of.origins:
        return {}
    ancestors = [
        _said(
            {
                "type": "machine-learning-model",
                "bom-ref": f"origin-{number}",
                "name": origin.name,
                "hashes": [_hash(origin.sha256)] if origin.sha256 else [],
                "externalReferences": [_reference("website", origin.url)] if origin.url else [],
            }
        )
        for number, origin in enumerate(of.origins, 1)
    ]
    notes = "\n".join(f"{origin.name}: {origin.why}" for origin in of.origins)
    return {"ancestors": ancestors, "notes": notes}


def _licences(licence: str) -> list[Part]:
    if not licence:
        return []
    return [{"expression": expression(licence), "acknowledgement": "declared"}]


def _hash(sha256: str) -> Part:
    return {"alg": "SHA-256", "content": sha256}


def _reference(kind: str, url: str, comment: str = "") -> dict[str, object]:
    found: dict[str, object] = {"type": kind, "url": url}
    return {**found, "comment": comment} if comment else found


def _properties(pairs: Iterable[tuple[str, str]]) -> list[Part]:
    return [{"name": f"assay:{name}", "value": value} for name, value in pairs]


def _said(part: Mapping[str, object]) -> Part:
    """Without what nobody said."""
    return {name: value for name, value in part.items() if value not in ("", [], {})}
