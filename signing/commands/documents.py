# SPDX-License-Identifier: Apache-2.0
"""Documents in memory, as `assay verify` takes them: evidence, answers of the API, one bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from .. import canonical, spans
from ..bundle import Bundle
from ..errors import InvalidDocument, MissingEvidence
from ..evidence import SHARED, Evidence, Part
from ..statements import PURPOSE_OF, Statement
from ..verify import Answer, Content, Opening
from .given import BundleGiven, Given, OutputGiven

OWN_FIELDS = frozenset({"mediaType", "evidence", "type"})  # of a bundle, an answer, evidence
OPENAI_MEMBER, OPENAI_LISTS = "assay", ("choices", "data")  # docs/spec/openai.md
ANSWER_FIELDS = ("id", "claim", "checkpoint", "media_type")


def parse(data: bytes, *, name: str) -> Mapping[str, object]:
    """A file's JSON object; a mistake in it is said of this file, for there may be several."""
    with canonical.within(name):
        return canonical.as_mapping(spans.loads(data, names=SHARED), "document")


def evidence_in(data: bytes, *, name: str) -> tuple[Evidence, Answer | None]:
    """Evidence on its own, or within an answer of the API."""
    document = parse(data, name=name)
    with canonical.within(name):
        return stated(document)


def stated(document: Mapping[str, object]) -> tuple[Evidence, Answer | None]:
    """The same of a document that was read."""
    check_alone(document)
    with canonical.within("evidence"):
        if "evidence" in document:
            return Evidence.parse(canonical.mapping(document, "evidence")), _answer(document)
        return Evidence.parse(document), None


def check_alone(document: Mapping[str, object]) -> None:
    """Refuse an answer for OpenAI's clients as a whole, in which the evidence is one member.

    The text that such a client shows is another member, and would not be compared.
    """
    if OWN_FIELDS & document.keys():
        return
    lists = (document.get(name) for name in OPENAI_LISTS)
    each = (
        inner for found in lists if isinstance(found, list) for inner in cast("list[object]", found)
    )
    if any(isinstance(one, Mapping) and OPENAI_MEMBER in one for one in (document, *each)):
        raise InvalidDocument(
            "document",
            "evidence, or an answer of a registry's own API",
            f"one for OpenAI's clients: save its member `{OPENAI_MEMBER}` by itself, and name that",
        )


def of_answer(document: Mapping[str, object], content: Content | None) -> Given:
    """An output by the answer of the API about it, and what to compare: else the answer's text.

    Raises MissingEvidence for the evidence of anything else, and the library's errors.
    """
    evidence, answer = stated(document)
    if Part.OUTPUT not in evidence.bundles:
        found = ", ".join(evidence.bundles) or "none"
        raise MissingEvidence(f"expected the evidence of an output, found that of: {found}")
    compared = answered_text(document) if content is None and answer is not None else content
    return OutputGiven(evidence=evidence, answer=answer, content=compared, files=None)


def answered_text(answer: Mapping[str, object]) -> Content | None:
    """The text in an answer of `POST /api/v1/outputs`; a caller-asserted one holds none."""
    text = answer.get("text")
    if text is None:
        return None
    if not isinstance(text, str):
        raise InvalidDocument("text", "a string", type(text).__name__)
    return Content.of(text.encode("utf-8", "surrogatepass"))


def of_bundle(document: Mapping[str, object]) -> BundleGiven:
    """One bundle, of a statement that the keys of some purpose may sign."""
    bundle = Bundle.parse(document)
    found = Statement.parse(bundle.envelope.payload).predicate_type
    purpose = PURPOSE_OF.get(found)
    if purpose is None:
        raise InvalidDocument("predicateType", "a kind of statement that is known", ascii(found))
    return BundleGiven(bundle=bundle, purpose=purpose)


def method_of(value: object) -> str | None:
    """Of a model signature that is no registry's: by what it says that it was made."""
    try:
        obj = canonical.as_mapping(value, "bundle")
        material = canonical.mapping(obj, "verificationMaterial")
    except InvalidDocument:
        return None
    if material.get("publicKey") is not None:
        return "key"
    if material.get("certificate") is not None:
        return "sigstore"
    is_logged = bool(material.get("tlogEntries"))
    return None if is_logged or material.get("x509CertificateChain") is None else "certificate"


def _answer(document: Mapping[str, object]) -> Answer:
    """What an answer says beside its evidence; what it leaves out, or says is null, it does not."""
    said = [name for name in ANSWER_FIELDS if document.get(name) is not None]
    return Answer(
        stated={name: canonical.text(document, name) for name in said},
        request=None if document.get("request") is None else _opening(document),
    )


def _opening(document: Mapping[str, object]) -> Opening:
    request = canonical.mapping(document, "request")
    with canonical.within("request"):
        salt = canonical.sha256_hex(request, "salt")  # as many bytes as a digest
        return Opening(document=canonical.mapping(request, "document"), salt=bytes.fromhex(salt))
