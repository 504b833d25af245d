# SPDX-License-Identifier: Apache-2.0
"""What a registry says in the C2PA manifests of media, and how a reading of one is judged.

docs/spec/media.md. A C2PA library reads the file and verifies its own signatures, certificates
and digests; here its report is judged, which is more than its one word for the state: that word
says nothing of what a manifest was made from. Whether the file is the output that was signed is
the output bundle's to prove.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self, cast
from urllib.parse import urlsplit

from . import canonical
from .canonical import Obj
from .digests import as_id
from .errors import BadCredentials, BrokenLink, InvalidDocument
from .statements import Origin, OutputClaim
from .statements.references import reference
from .values import dataclass

TYPE = "https://assay/media/v1"
GENERATOR = "Assay"
LABEL_ENDING = "assay.output"
TRUSTED = "Trusted"
STAMPED = "timeStamp.trusted"
MADE_BY_MODEL = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
MODEL = "c2pa.types.model"  # C2PA 2.2, 18.15.11: of no framework that the checkpoint would name
INGREDIENT = "checkpoint"
MARKED = "c2pa.watermarked.bound"  # C2PA 2.2, 18.15.2: to be found again by, as a soft binding says
VALID = "Valid"
SIGNER_UNKNOWN = "signingCredential.untrusted"
UNKNOWN = frozenset({SIGNER_UNKNOWN, "timeStamp.untrusted"})
MAX_SHOWN = 5


def label(registry: str) -> str:
    """The name of a registry's own assertion: its host reversed (C2PA 2.2, 6.2), and ours."""
    host = urlsplit(registry).hostname or ""
    return ".".join((*reversed(host.split(".")), LABEL_ENDING))


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Our own assertion: from which checkpoint media are said to come, and on whose word."""

    registry: str
    output: str
    claim: Origin
    checkpoint_sha256: str
    checkpoint_statement_sha256: str
    index: int
    """Of the checkpoint's statement in the registry's ledger."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read the assertion's document."""
        obj = canonical.as_mapping(value, "assertion")
        canonical.only(obj, "type", "registry", "output", "claim", "checkpoint", "index")
        canonical.literal(obj, "type", TYPE)
        checkpoint = canonical.mapping(obj, "checkpoint")
        with canonical.within("checkpoint"):
            canonical.only(checkpoint, "sha256", "statement")
            sha256 = canonical.sha256_hex(checkpoint, "sha256")
            statement = reference(checkpoint, "statement")
        return cls(
            registry=canonical.text(obj, "registry"),
            output=canonical.text(obj, "output"),
            claim=_origin(obj),
            checkpoint_sha256=sha256,
            checkpoint_statement_sha256=statement,
            index=canonical.integer(obj, "index"),
        )

    def to_json(self) -> dict[str, object]:
        """The assertion's document."""
        return {
            "type": TYPE,
            "registry": self.registry,
            "output": self.output,
            "claim": str(self.claim),
            "checkpoint": {
                "sha256": self.checkpoint_sha256,
                "statement": {"sha256": self.checkpoint_statement_sha256},
            },
            "index": self.index,
        }

    def check(self, claim: OutputClaim) -> None:
        """Raise BrokenLink unless the output's statement says the same."""
        pairs = {
            "output": (claim.output, self.output),
            "claim": (str(claim.claim), str(self.claim)),
            "checkpoint": (claim.checkpoint_sha256, self.checkpoint_sha256),
            "statement": (claim.checkpoint_statement_sha256, self.checkpoint_statement_sha256),
        }
        for name, (signed, found) in pairs.items():
            if signed != found:
                raise BrokenLink(
                    f"{name}: expected {signed} in the C2PA manifest, as the output's statement "
                    f"has it, found {found}"
                )


def definition(
    said: Credentials,
    *,
    name: str,
    media_type: str,
    bindings: Iterable[Mapping[str, object]] = (),
    is_marked: bool = False,
) -> dict[str, object]:
    """The whole manifest, as the library takes it: all that it says of where media come from.

    `name` is the checkpoint's, for people; `bindings` are soft ones (C2PA 2.2, 18.10).
    """
    checkpoint = as_id(said.checkpoint_sha256)
    created = {
        "action": "c2pa.created",
        "digitalSourceType": MADE_BY_MODEL,
        "softwareAgent": {"name": name},
        "parameters": {"ingredientIds": [INGREDIENT]},
    }
    actions = [created, {"action": MARKED}] if is_marked else [created]
    disclosure = {"modelType": MODEL, "modelName": name, "modelIdentifier": checkpoint}
    ingredient = {
        "title": name,
        "format": "application/octet-stream",
        "instance_id": checkpoint,
        "relationship": "inputTo",
        "label": INGREDIENT,
        "data_types": [{"type": MODEL}],
        "informational_URI": f"{said.registry}/files/{said.checkpoint_sha256}",
    }
    return {
        "claim_version": 2,
        "claim_generator_info": [{"name": GENERATOR}],
        "format": media_type,
        "ingredients": [ingredient],
        "assertions": [
            _created("c2pa.actions.v2", {"actions": actions}),
            _created("c2pa.ai-disclosure", disclosure),
            _created(label(said.registry), said.to_json()),
            *(_created("c2pa.soft-binding", each) for each in bindings),
        ],
    }


def _created(name: str, data: Mapping[str, object]) -> dict[str, object]:
    """An assertion that whoever signs makes, and did not gather."""
    return {"label": name, "data": data, "created": True}


def defined(value: object, *, registry: str, media_type: str) -> Credentials:
    """What a registry's definition says, if it says nothing else; raises InvalidDocument.

    Whoever signs with a certificate of their own puts their name to every word of it.
    """
    obj = canonical.as_mapping(value, "definition")
    ingredients = list(_mappings(canonical.items(obj, "ingredients")))
    said = _assertion(obj, registry)
    name = canonical.text(ingredients[0] if ingredients else {}, "title")
    if obj != definition(said, name=name, media_type=media_type):
        raise InvalidDocument("definition", "what follows from its assertion", "more, or less")
    return said


def judge(report: object, *, registry: str) -> Credentials:
    """What a registry's manifest says, by the report of a C2PA library that trusts its root alone.

    Or the root and anchors that a verifier named besides.

    1. Nothing failed, at any depth: what a manifest was made from is part of it.
    2. The signer's certificate leads to the registry's root, and so does the timestamp.
    3. There is one manifest: the registry makes media from nothing that has one of its own.
    4. It holds the registry's own assertion, once.

    Raises BadCredentials.
    """
    try:
        document = canonical.as_mapping(report, "report")
        _check_failures(document)  # 1
        _check_trust(document)  # 2
        manifest = _only_manifest(document)  # 3
        return _assertion(manifest, registry)  # 4
    except InvalidDocument as error:
        raise BadCredentials(f"the C2PA manifest is no registry's: {error}") from error


def of_stranger(report: object, *, registry: str) -> Credentials | None:
    """What a manifest says that is whole, but whose signer leads to no anchor; None of any other.

    Whose word it is nobody here knows: it is neither believed nor held against the file.
    """
    try:
        document = canonical.as_mapping(report, "report")
        codes = set(_failures(document))
        is_whole = SIGNER_UNKNOWN in codes and codes <= UNKNOWN
        if not is_whole or document.get("validation_state") != VALID:
            return None
        return _assertion(_only_manifest(document), registry)
    except (BadCredentials, InvalidDocument):
        return None


def _check_failures(document: Obj) -> None:
    codes = list(dict.fromkeys(_failures(document)))
    if codes:
        raise BadCredentials(
            f"expected a C2PA manifest without any failure, found {', '.join(codes[:MAX_SHOWN])}"
        )


def _failures(value: object) -> Iterator[str]:
    """The codes of all failures in a report: of the manifest, of ingredients, of theirs."""
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, object]", value).items():
            if name in {"failure", "validation_status"}:
                yield from _codes(inner)
            else:
                yield from _failures(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _failures(inner)


def _check_trust(document: Obj) -> None:
    state = canonical.text(document, "validation_state")
    if state != TRUSTED:
        raise BadCredentials(
            f"expected a C2PA manifest that is {TRUSTED} under the pinned root, found {state}"
        )
    results = canonical.mapping(document, "validation_results")
    active = canonical.mapping(results, "activeManifest")
    if STAMPED not in set(_codes(active.get("success"))):
        raise BadCredentials(
            "expected a timestamp of the registry's authority in the C2PA manifest, found none"
        )


def _only_manifest(document: Obj) -> Obj:
    manifests = canonical.mapping(document, "manifests")
    if len(manifests) != 1:
        raise BadCredentials(
            f"expected the one C2PA manifest that a registry makes, found {len(manifests)}: "
            "others have worked on this file since, or it was made from theirs"
        )
    return canonical.mapping(manifests, canonical.text(document, "active_manifest"))


def _assertion(manifest: Obj, registry: str) -> Credentials:
    wanted = label(registry)
    found = [
        each.get("data")
        for each in _mappings(canonical.items(manifest, "assertions"))
        if each.get("label") == wanted
    ]
    if len(found) != 1:
        raise BadCredentials(
            f"expected one assertion {wanted} in the C2PA manifest, found {len(found)}"
        )
    credentials = Credentials.parse(found[0])
    if credentials.registry != registry:
        raise BadCredentials(
            f"expected a C2PA manifest of {registry}, found one of {credentials.registry[:80]!a}"
        )
    return credentials


def in_words(credentials: Credentials) -> str:
    """What was found, for the one line of a step."""
    return (
        f"{credentials.claim}, from {as_id(credentials.checkpoint_sha256)}, "
        f"entry {credentials.index} of the ledger"
    )


def _codes(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield from (
            ascii(each.get("code")).strip("'") for each in _mappings(cast("list[object]", value))
        )


def _mappings(values: Sequence[object]) -> Iterator[Obj]:
    return (cast("Obj", each) for each in values if isinstance(each, Mapping))


def _origin(obj: Obj) -> Origin:
    value = canonical.text(obj, "claim")
    if value not in list(Origin):
        raise InvalidDocument("claim", " or ".join(Origin), ascii(value))
    return Origin(value)
