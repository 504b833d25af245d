# SPDX-License-Identifier: Apache-2.0
"""How a checkpoint is cited: BibTeX, CITATION.cff, DataCite, RO-Crate.

Each names the checkpoint's id, where it is in the ledger, and the command that verifies it: a
reader of the paper can find out whether they have the very bytes that it is about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, urlsplit

import yaml
from django.conf import settings

from assay.signing.digests import as_id

from .. import queries
from ..content import described
from ..content.described import Described
from ..errors import NotFound
from ..models import Checkpoint, File, State
from . import dois

CFF_VERSION = "1.2.0"
DATACITE = "http://datacite.org/schema/kernel-4"
RO_CRATE = "https://w3id.org/ro/crate/1.1"
SPDX = "https://spdx.org/licenses/"
# Of those that cards name, what SPDX listed only after CFF 1.2.0 had copied its list.
NOT_IN_CFF = frozenset({"CDLA-Permissive-2.0"})
REFERENCE = "LicenseRef-"
BINARY = "application/octet-stream"
_TEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What every form says of a published checkpoint."""

    title: str
    author: str
    author_url: str
    version: str
    summary: str
    published_on: date
    url: str
    id: str
    entry: int
    """Of the registry's statement, in its ledger."""
    entry_url: str
    licence: str
    tags: tuple[str, ...]
    verify: str
    doi: str
    """Empty unless its owner asked for one and it resolves."""

    @property
    def publisher(self) -> str:
        """The registry, by its name."""
        return f"Assay, {urlsplit(settings.PUBLIC_URL).netloc}"

    @property
    def note(self) -> str:
        """For people: what to compare, and how."""
        return (
            f"Checkpoint {self.id}; entry {self.entry} of the ledger {settings.LEDGER_ORIGIN}; "
            f"verify: {self.verify}"
        )

    @property
    def spdx(self) -> str:
        """The licence, if SPDX has a name for it."""
        return "" if self.licence.startswith(REFERENCE) else self.licence


def cited(of: Checkpoint) -> Cited:
    """Raises NotFound for what is not published."""
    if of.published_at is None or of.statement is None or of.statement.entry.index is None:
        raise NotFound("expected a published checkpoint, found one that is not")
    said: Described = described.of(of)
    index = of.statement.entry.index
    registered = dois.registered(of)
    return Cited(
        title=f"{of.project.title or of.project.full_name}, {of.name}",
        author=of.project.owner.name,
        author_url=of.project.owner.uri,
        version=of.name,
        summary=of.project.summary,
        published_on=of.published_at.date(),
        url=settings.PUBLIC_URL + of.path,
        id=as_id(of.manifest_sha256),
        entry=index,
        entry_url=f"{settings.PUBLIC_URL}/ledger/entries/{index}",
        licence=said.licence,
        tags=tuple(each for each in (said.task, *said.tags) if each),
        verify=_verify(of),
        doi=registered.doi if registered else "",
    )


def bibtex(of: Checkpoint) -> str:
    """An entry of the kind that every style knows."""
    found = cited(of)
    fields = {
        "title": f"{{{_tex(found.title)}}}",
        "author": f"{{{_tex(found.author)}}}",
        "year": str(found.published_on.year),
        "month": str(found.published_on.month),
        "publisher": _tex(found.publisher),
        "version": _tex(found.version),
        **({"doi": found.doi} if found.doi else {}),
        "url": found.url,
        "note": _tex(found.note),
    }
    key = re.sub(r"[^A-Za-z0-9]+", "-", of.full_name)
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}", ""])


def cff(of: Checkpoint) -> str:
    """Citation File Format 1.2.0, as GitHub and Zenodo read it."""
    found = cited(of)
    ledger = f"{settings.LEDGER_ORIGIN}#{found.entry}"
    document: dict[str, object] = {
        "cff-version": CFF_VERSION,
        "message": f"To verify what is cited: {found.verify}",
        "type": "dataset",
        "title": found.title,
        "authors": [{"name": found.author, "website": found.author_url}],
        "version": found.version,
        "date-released": found.published_on.isoformat(),
        "url": found.url,
        "identifiers": [
            {"type": "other", "value": found.id, "description": "The checkpoint's id"},
            {"type": "other", "value": ledger, "description": "Its entry in the ledger"},
            {"type": "url", "value": found.entry_url, "description": "The entry's page"},
        ],
    }
    if found.doi:
        document["doi"] = found.doi
    if found.summary:
        document["abstract"] = found.summary
    if found.tags:
        document["keywords"] = list(dict.fromkeys(found.tags))
    if found.spdx in NOT_IN_CFF:
        document["license-url"] = f"{SPDX}{found.spdx}.html"
    elif found.spdx:
        document["license"] = found.spdx
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    return str(text)


def datacite(of: Checkpoint) -> str:
    """DataCite's metadata, version 4, as the DOI is registered with (services/registering.py)."""
    found = cited(of)
    document: dict[str, object] = {
        "schemaVersion": DATACITE,
        "types": {"resourceTypeGeneral": "Model", "resourceType": "Checkpoint"},
        "creators": [{"name": found.author, "nameType": "Organizational"}],
        "titles": [{"title": found.title}],
        "publisher": {"name": found.publisher},
        "publicationYear": str(found.published_on.year),
        "dates": [{"date": found.published_on.isoformat(), "dateType": "Issued"}],
        "version": found.version,
        "url": found.url,
        "alternateIdentifiers": [
            {"alternateIdentifier": found.id, "alternateIdentifierType": "checkpoint id"},
            {
                "alternateIdentifier": f"{settings.LEDGER_ORIGIN}#{found.entry}",
                "alternateIdentifierType": "ledger entry",
            },
        ],
        "descriptions": [{"description": found.note, "descriptionType": "TechnicalInfo"}],
        "subjects": [{"subject": each} for each in dict.fromkeys(found.tags)],
    }
    if found.doi:
        document["doi"] = found.doi
    if found.spdx:
        document["rightsList"] = [
            {
                "rights": found.spdx,
                "rightsUri": f"{SPDX}{found.spdx}.html",
                "rightsIdentifier": found.spdx,
                "rightsIdentifierScheme": "SPDX",
                "schemeUri": SPDX,
            }
        ]
    return _json(document)


def ro_crate(of: Checkpoint) -> str:
    """RO-Crate 1.1 of the folder that `assay download` makes; its files are those of the id."""
    found = cited(of)
    files = [_file(file) for file in queries.files(of)]
    properties = {
        "#id": ("checkpoint id", found.id),
        "#ledger-entry": ("ledger entry", f"{settings.LEDGER_ORIGIN}#{found.entry}"),
        "#verify": ("command that verifies it", found.verify),
        **({"#doi": ("DOI", found.doi)} if found.doi else {}),
    }
    root: dict[str, object] = {
        "@id": "./",
        "@type": "Dataset",
        "name": found.title,
        "description": found.summary or found.note,
        "datePublished": found.published_on.isoformat(),
        "version": found.version,
        "url": found.url,
        "author": {"@id": found.author_url},
        "publisher": {"@id": settings.PUBLIC_URL},
        "license": {"@id": f"{SPDX}{found.spdx}"} if found.spdx else found.licence or "unknown",
        "identifier": [{"@id": each} for each in properties],
        "hasPart": [{"@id": each["@id"]} for each in files],
    }
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": RO_CRATE},
        "about": {"@id": "./"},
    }
    named = [
        {"@id": key, "@type": "PropertyValue", "name": name, "value": value}
        for key, (name, value) in properties.items()
    ]
    people = [
        {"@id": found.author_url, "@type": "Organization", "name": found.author},
        {"@id": settings.PUBLIC_URL, "@type": "Organization", "name": found.publisher},
    ]
    licence = {"@id": f"{SPDX}{found.spdx}", "@type": "CreativeWork", "name": found.spdx}
    graph = [descriptor, root, *named, *people, *([licence] if found.spdx else []), *files]
    return _json({"@context": f"{RO_CRATE}/context", "@graph": graph})


FORMS: Mapping[str, tuple[str, Callable[[Checkpoint], str]]] = {
    "citation.bib": ("application/x-bibtex; charset=utf-8", bibtex),
    "CITATION.cff": ("application/yaml; charset=utf-8", cff),
    "datacite.json": ("application/vnd.datacite.datacite+json", datacite),
    "ro-crate-metadata.json": ("application/ld+json", ro_crate),
}


def _file(file: File) -> dict[str, object]:
    return {
        "@id": quote(file.name),
        "@type": "File",
        "name": file.name,
        "contentSize": str(file.size),
        "sha256": file.sha256,
        "encodingFormat": BINARY,
        "url": queries.file_url(file),
    }


def _verify(of: Checkpoint) -> str:
    """What was taken down nobody downloads any more; whoever has its folder verifies that."""
    if of.state == State.TAKEN_DOWN:
        return f"assay verify {of.project.name}-{of.name}"
    return f"assay download {of.full_name} --registry {settings.PUBLIC_URL}"


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _json(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
