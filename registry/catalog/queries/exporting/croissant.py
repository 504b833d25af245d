# SPDX-License-Identifier: Apache-2.0
"""A data set as Croissant 1.1 (JSON-LD): its files by digest, its licence, where it comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.conf import settings

from assay.signing.digests import as_id
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.statements import DatasetClaim

from ...models import Dataset
from ..citing import SPDX
from .facts import SECONDS
from .licences import expression

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
TEXT = "text/plain"  # a data set holds nothing else (services/datasets.py)
_WORD = re.compile(r"[A-Za-z0-9.-]+")
# The context of the specification (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1).
CONTEXT: Mapping[str, object] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract"),
            *("field", "fileProperty", "fileObject", "fileSet", "format", "includes", "isArray"),
            *("isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
            *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source"),
            *("subField", "transform"),
        )
    },
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
}


def document(of: Dataset, claim: DatasetClaim) -> dict[str, object]:
    """What its owner signed of it, and every file of its manifest."""
    added_at = of.created_at.strftime(SECONDS)
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": claim.name,
        "description": f"{claim.title}. Source: {claim.source}",
        "url": f"{settings.PUBLIC_URL}/files?digest={claim.manifest_sha256}",
        "license": _licence(claim.license),
        "version": f"1.0.0+{claim.manifest_sha256}",
        "datePublished": added_at,
        "creator": {"@type": "Organization", "name": claim.owner, "url": of.owner.uri},
        "publisher": {
            "@type": "Organization",
            "name": "Assay",
            "url": settings.PUBLIC_URL,
        },
        "citeAs": f"{claim.title}, {claim.name}, {as_id(claim.manifest_sha256)}",
        "rai:dataCollection": claim.source,
        "distribution": [_file(each) for each in Manifest.parse(of.manifest).files],
    }


def _file(file: FileEntry) -> Mapping[str, object]:
    return {
        "@type": "cr:FileObject",
        "@id": file.name,
        "name": file.name,
        "contentUrl": f"{settings.PUBLIC_URL}/api/v1/blobs/{as_id(file.sha256)}",
        "contentSize": f"{file.size} B",
        "encodingFormat": TEXT,
        "sha256": file.sha256,
    }


def _licence(licence: str) -> str:
    """The address of one that SPDX lists, else the expression itself."""
    found = expression(licence)
    is_one = _WORD.fullmatch(found) and not found.startswith("LicenseRef-")
    return f"{SPDX}{found}.html" if is_one else found
