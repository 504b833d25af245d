# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors that both verifiers share: `python -m tests.vectors.make [NAME…]`.

What stands in a standard is typed in here and never computed. `acceptances.json`, `answers.json`,
`batches.json`, `chains.json`, `consents.json`, `evidence.json`, `evaluations.json`,
`excerpts.json`, `packs.json`, `policies.json`, `pseudonyms.json`, `standings.json`,
`takedowns.json`, `tensors.json`, `walks.json` and `witnessed.json` are signed by throw-away
authorities and keys that are gone: running this again makes others, equally good.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing import envelope, oms, treehead
from assay.signing.digests import normalised_text, sha256
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.manifest import FileEntry, Manifest
from assay.signing.treehead import TreeHead
from tests.vectors.acceptances import acceptance_vectors
from tests.vectors.answers import answer_vectors
from tests.vectors.batches import batch_vectors
from tests.vectors.chains import chain_vectors
from tests.vectors.consents import consent_vectors
from tests.vectors.credentials import credentials_vectors
from tests.vectors.evaluations import evaluation_vectors
from tests.vectors.excerpts import excerpt_vectors
from tests.vectors.marks import mark_vectors
from tests.vectors.mutations import evidence_vectors
from tests.vectors.packs import pack_vectors
from tests.vectors.policies import policy_vectors
from tests.vectors.pseudonyms import pseudonym_vectors
from tests.vectors.standings import standing_vectors
from tests.vectors.takedowns import takedown_vectors
from tests.vectors.tensors import tensor_vectors
from tests.vectors.tiles import tile_vectors
from tests.vectors.trees import merkle_vectors
from tests.vectors.walks import walk_vectors
from tests.vectors.witnessed import witnessed_vectors
from tests.vectors.witnessing import witnessing_vectors

FOLDER = Path(__file__).parent


def b64(data: bytes) -> str:
    """Bytes as they stand in JSON."""
    return base64.b64encode(data).decode("ascii")


# --- canonical JSON: RFC 8785, 3.2.3 (the order of fields), then our own ---
SORTED_TEXT = (
    r'{"\u20ac":"Euro Sign","\r":"Carriage Return",'
    r'"\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face",'
    r'"\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}'
)
SORTED_CANONICAL = (
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control",'
    '"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",'
    '"😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
)
CANONICAL = [
    (SORTED_TEXT, SORTED_CANONICAL),
    (" [ null , true , false , -0 , 9007199254740991 ] ", "[null,true,false,0,9007199254740991]"),
    ('{"b":{},"a":[],"":""}', '{"":"","a":[],"b":{}}'),
    (
        '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\\\/\\u007f\\u2028"',
        '"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/\u007f\u2028"',
    ),
    ('{"constructor":1,"__proto__":2}', '{"__proto__":2,"constructor":1}'),
]
REFUSED_JSON = {
    "two fields of one name": b'{"a":1,"a":1}',
    "two fields of one name, one escaped": b'{"a":1,"\\u0061":1}',
    "a fraction": b"1.5",
    "an integer with a fraction": b"1.0",
    "an exponent": b"1e2",
    "an integer past 2^53 - 1": b"9007199254740992",
    "an integer below -(2^53 - 1)": b"-9007199254740992",
    "an integer with a leading zero": b"01",
    "an integer with a plus": b"+1",
    "not a number": b"NaN",
    "infinity": b"Infinity",
    "half a surrogate pair": b'"\\ud800"',
    "half a surrogate pair in a name": b'{"\\udc00":1}',
    "bytes that are not UTF-8": b'"\xff"',
    "an overlong encoding": b'"\xc0\xaf"',
    "an encoded surrogate": b'"\xed\xa0\x80"',
    "a byte order mark": b"\xef\xbb\xbf1",
    "a control character in a string": b'"\x01"',
    "a trailing comma": b"[1,]",
    "two values": b"1 2",
    "nothing": b"",
    "a comment": b"1 // one",
    "single quotes": b"'a'",
    "thirty-three levels": b"[" * 33 + b"]" * 33,
    "a string without an end": b'"a',
}


def canonical_vectors() -> dict[str, object]:
    """Texts with their canonical form, and texts that no reader may accept."""
    deep = "[" * 32 + "]" * 32
    return {
        "source": "RFC 8785, 3.2.3 (the first); docs/spec/formats.md",
        "accepted": [
            {"text": text, "canonical": expected} for text, expected in [*CANONICAL, (deep, deep)]
        ],
        "refused": [{"why": why, "base64": b64(data)} for why, data in REFUSED_JSON.items()],
    }


# --- names and manifests ---
NAMES = [
    "a",
    "model.safetensors",
    "a/b/c.json",
    ".gitattributes",
    "...",
    "a b",
    "sub/model.sig",
    "model.sigstore",
    "café",
    "模型.safetensors",
    "😀",
    "ab:c",
    "x" * 255,
    "/".join(["x" * 255] * 4)[:1024],
]
REFUSED_NAMES = {
    "": "empty",
    "/a": "an empty segment",
    "a/": "an empty segment",
    "a//b": "an empty segment",
    ".": "a `.` segment",
    "a/./b": "a `.` segment",
    "..": "a `..` segment",
    "a/../b": "a `..` segment",
    "a\\b": "a backslash",
    "a\x00b": "NUL",
    "a\nb": "a control character",
    "a\x7fb": "a control character",
    "a\x85b": "a control character",
    "a\u202eb": "a bidirectional formatting character",
    "a\u2066b": "a bidirectional formatting character",
    "\u200fa": "a bidirectional formatting character",
    "a\u061cb": "a bidirectional formatting character",
    "cafe\u0301": "not in NFC",
    "\u212b": "not in NFC",
    "c:a": "a drive colon",
    "a/C:b": "a drive colon",
    "x" * 256: "a segment over 255 bytes",
    "é" * 128: "a segment over 255 bytes",
    "/".join(["x" * 250] * 5): "over 1024 bytes",
    "model.sig": "reserved for the signature",
    "Model.SIG": "reserved for the signature",
    "model.sig/a": "reserved for the signature",
    "model.sigstore.json": "reserved for the signature",
    "Model.Sigstore.JSON": "reserved for the signature",
}
TOGETHER = [["a", "b"], ["a", "a.b", "ab"], ["a/b", "a/c"], ["B", "a"], ["a/model.sig", "x"]]
REFUSED_TOGETHER = [
    ["a", "a"],
    ["A", "a"],
    ["STRASSE", "straße"],
    ["Ǆ", "ǆ"],
    ["\u017f", "s"],
    ["a", "a/b"],
    ["A/b", "a"],
    ["b", "a"],
    ["\U0001f600", "\uffe5"],
]


def name_vectors() -> dict[str, object]:
    """Names by themselves, and lists of names in the order in which a manifest has them."""
    return {
        "source": "docs/spec/formats.md, section 1",
        "accepted": NAMES,
        "refused": [{"name": name, "why": why} for name, why in REFUSED_NAMES.items()],
        "accepted_together": [sorted(names) for names in TOGETHER],
        "refused_together": REFUSED_TOGETHER,
    }


def manifest_vectors() -> list[dict[str, object]]:
    """Manifests with their canonical bytes, id, and OMS root digest."""
    folders = [
        {"a": b""},
        {"config.json": b"{}", "model.safetensors": bytes(64), ".gitattributes": b"x"},
        {"\U0001f600": b"1", "\uffe5": b"2", "Z": b"3", "a/b": b"4", "é": b"5"},
    ]
    return [
        {
            "manifest": (manifest := _manifest(folder)).to_json(),
            "canonical": manifest.canonical().decode(),
            "id": manifest.id,
            "oms_root": oms.root_digest(manifest),
        }
        for folder in folders
    ]


def _manifest(folder: dict[str, bytes]) -> Manifest:
    return Manifest.of(
        FileEntry(name=name, sha256=sha256(data), size=len(data)) for name, data in folder.items()
    )


# --- normalised text ---
TEXTS = [
    "",
    "a",
    "a\n",
    "a\r\nb\r\n",
    "a\rb",
    "a \t\nb\t\n\n\n",
    "  a\n\tb",
    "a\n \nb",
    "cafe\u0301",
    "Å\u212b",
    "a\u00a0\nb",
    "a\u2028b",
    "a \u2028b\t\u2029c \u0085",
    "\n\na",
    " \n",
    "ﬁ",
    "a\r\r\nb",
    "a\x0b\x0c\n",
]


def text_vectors() -> list[dict[str, object]]:
    """Texts with their normalised form and its digest."""
    return [
        {
            "text": text,
            "normalised": normalised_text(text),
            "sha256": sha256(normalised_text(text).encode()),
        }
        for text in TEXTS
    ]


# --- envelopes and tree heads ---
# golang.org/x/mod/sumdb/note, ExampleOpen; sum.golang.org's own key
GO_KEYS = [
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
]


def envelope_vectors() -> dict[str, object]:
    """What is signed for a payload, and one signature."""
    payloads = [b"", b"{}", '{"a":"é"}'.encode(), bytes(range(256))]
    key = SoftwareKey.generate()
    signed = envelope.sign(b'{"a":1}', key)
    return {
        "source": "DSSE v1, protocol.md",
        "pae": [{"payload": b64(each), "pae": b64(envelope.pae(each))} for each in payloads],
        "public_key": b64(_spki(key)),
        "envelope": signed.to_json(),
    }


def _spki(key: SoftwareKey) -> bytes:
    return key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# C2SP signed-note: no plus and no Unicode space in a name, no ASCII control character in a note.
NOT_IN_NAMES = (
    "\x00\t\x0b\x0c\r\x1c\x1d\x1e\x1f +\x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
)
IN_NAMES = "\x7f\u200b\u180e\ufeff\U0001f600"


def treehead_vectors() -> dict[str, object]:
    """Notes that a verifier key accepts, and notes that it refuses."""
    key = SoftwareKey.generate(Curve.ED25519)
    other = SoftwareKey.generate(Curve.ED25519)
    origin = "registry.test/ledger"
    head = TreeHead(origin=origin, size=5, root=bytes(range(32)))
    note = treehead.sign(head, key)
    line = note.splitlines(keepends=True)[-1]
    stranger = treehead.sign(TreeHead(origin="other.test", size=5, root=head.root), key)
    refused = {
        "another size": note.replace("\n5\n", "\n6\n"),
        "another key": treehead.sign(head, other),
        "another origin": stranger,
        "two signatures of one key": note + line,
        "no signature": note.removesuffix(line),
        "no blank line": note.replace("\n\n", "\n"),
        "a line too many": note.replace("\n\n", "\nextension\n\n"),
        "a leading zero": note.replace("\n5\n", "\n05\n"),
        "carriage returns": note.replace("\n", "\r\n"),
        "no line feed at the end": note.removesuffix("\n"),
        "a hyphen for the dash": note.replace("— ", "- "),
        "another hint": note.replace(line, line[:-6] + "AAAA\n"),
        "seventeen signatures": note + "— witness.test AAAAAAAA\n" * 16,
        "a stranger's line that is no base64": note + "— witness.test AAA\n",
        "a stranger's line of another base64": note + "— witness.test AAAA-___\n",
        "a stranger's line with a hint alone": note + "— witness.test AAAAAA==\n",
        "nothing": "",
        **{
            f"a name with U+{ord(each):04X}": f"{note}— a{each}b AAAAAAAA\n"
            for each in NOT_IN_NAMES
        },
    }
    return {
        "source": "C2SP signed-note, tlog-checkpoint; golang.org/x/mod/sumdb/note (foreign keys)",
        "verifier": treehead.vkey(origin, key.public_key),
        "log_id": treehead.log_id(treehead.vkey(origin, key.public_key)).hex(),
        "foreign_verifiers": GO_KEYS,
        "refused_verifiers": ["", "a", GO_KEYS[0][:-4], GO_KEYS[0].replace("c74f", "c74e")],
        "head": {"origin": origin, "size": 5, "root": head.root.hex()},
        "accepted": [
            note,
            note + "— witness.test AAAAAAAA\n",
            *(f"{note}— a{each}b AAAAAAAA\n" for each in IN_NAMES),
        ],
        "refused": [{"why": why, "note": text} for why, text in refused.items()],
    }


VECTORS: dict[str, Callable[[], Any]] = {
    "canonical": canonical_vectors,
    "names": name_vectors,
    "manifests": manifest_vectors,
    "texts": text_vectors,
    "merkle": merkle_vectors,
    "tiles": tile_vectors,
    "envelopes": envelope_vectors,
    "treeheads": treehead_vectors,
    "witnessing": witnessing_vectors,
    "chains": chain_vectors,
    "evidence": evidence_vectors,
    "evaluations": evaluation_vectors,
    "marks": mark_vectors,
    "batches": batch_vectors,
    "pseudonyms": pseudonym_vectors,
    "credentials": credentials_vectors,
    "excerpts": excerpt_vectors,
    "tensors": tensor_vectors,
    "takedowns": takedown_vectors,
    "witnessed": witnessed_vectors,
    "consents": consent_vectors,
    "answers": answer_vectors,
    "policies": policy_vectors,
    "standings": standing_vectors,
    "walks": walk_vectors,
    "acceptances": acceptance_vectors,
    "packs": pack_vectors,
}


def main(names: Sequence[str]) -> None:
    """Write every file of vectors, or those that are named."""
    for name in names or VECTORS:
        make = VECTORS[name]
        text = json.dumps(make(), ensure_ascii=True, indent=1)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main(sys.argv[1:])
