# SPDX-License-Identifier: Apache-2.0
"""What `assay mirror` writes beside the files: proofs in pieces, sums, and pages for people.

Everything here is made of what was verified. Any web server can serve it; nothing of it runs.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from .. import canonical
from ..bundle import Bundle
from ..canonical import instant_text
from ..digests import as_id
from ..envelope import pae
from ..evidence import Evidence, Part
from ..statements import CheckpointClaim
from ..tlog import Proof
from ..trust import TrustRoot
from .inputs import EVIDENCE_SUFFIX
from .terminal import size_in_words

MIRROR_V1 = "https://assay/mirror/v1"
MIRROR_FILE, INDEX, README, SUMS = "mirror.json", "index.html", "README.txt", "SHA256SUMS"
CHECKPOINTS, TRUST = "checkpoints", "trust"
FILES, PROOFS = "files", "proofs"  # of a checkpoint, in its folder

# Names as addresses: what ends one, or means something in it. All else is sent as it is.
ENCODED = "; ".join(f"s/{each}/%{ord(each):02X}/g" for each in '% #?"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A checkpoint that is in the mirror, and verified."""

    claim: CheckpointClaim
    evidence: Evidence
    signed_before: datetime
    beside: Mapping[str, bytes]
    """What lies beside the files: the signatures over all of them."""
    is_new: bool
    mended: tuple[str, ...] = ()
    """Files that were there already, and were not what they should be."""

    @property
    def folder(self) -> str:
        """Its folder, from the mirror's: nothing else is in it, whatever it is called."""
        return f"{CHECKPOINTS}/{self.claim.name}"

    @property
    def path(self) -> str:
        """The folder of its files, beside which is its evidence."""
        return f"{self.folder}/{FILES}"

    @property
    def proofs(self) -> str:
        """The folder of what was signed, cut up."""
        return f"{self.folder}/{PROOFS}"

    def to_json(self) -> dict[str, object]:
        """For programs."""
        manifest = self.evidence.manifest
        return {
            "name": self.claim.name,
            "id": as_id(manifest.id),
            "path": self.path,
            "files": len(manifest.files),
            "size_bytes": manifest.size_bytes,
            "signed_before": instant_text(self.signed_before),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """All that is in one: at least a checkpoint, the newest first."""

    project: str
    root: TrustRoot
    as_of: datetime
    """For which moment it is known what was revoked."""
    kept: tuple[Kept, ...]

    def to_json(self) -> dict[str, object]:
        """What `mirror.json` says; it begins with whose mirror this is."""
        return {
            **marker(self.project, self.root),
            "as_of": instant_text(self.as_of),
            "checkpoints": [each.to_json() for each in self.kept],
        }


def marker(project: str, root: TrustRoot) -> dict[str, object]:
    """By which a folder is known as this project's mirror."""
    return {"type": MIRROR_V1, "project": project, "registry": root.registry}


def pieces(kept: Kept) -> Iterator[tuple[str, bytes]]:
    """The statement cut up for programs that know nothing of bundles, and every proof."""
    bundle = kept.evidence.bundles[Part.CHECKPOINT]
    folder = kept.proofs
    yield f"{folder}/statement.json", bundle.envelope.payload
    yield f"{folder}/signed.bin", pae(bundle.envelope.payload)
    yield f"{folder}/signature.der", bundle.envelope.signature
    yield f"{folder}/certificate.pem", bundle.chain.leaf.public_bytes(Encoding.PEM)
    yield f"{folder}/intermediate.pem", bundle.chain.intermediate.public_bytes(Encoding.PEM)
    yield f"{folder}/timestamp.tsr", bundle.timestamp
    for name, each in kept.evidence.bundles.items():
        yield f"{folder}/{name}.bundle.json", canonical.dumps(each.to_json())
        yield f"{folder}/{name}.tlog-proof", _proof(each).text().encode()


def beside(kept: Kept) -> Iterator[tuple[str, bytes]]:
    """The signatures beside the files, and the evidence, which says who was revoked until now."""
    for name, data in kept.beside.items():
        yield f"{kept.path}/{name}", data
    yield f"{kept.path}{EVIDENCE_SUFFIX}", kept.evidence.canonical()


def trusted(mirror: Mirror) -> Iterator[tuple[str, bytes]]:
    """Whom to trust, if you decide to, and who was revoked."""
    yield f"{TRUST}/trust-root.json", canonical.dumps(mirror.root.to_json())
    yield f"{TRUST}/root.pem", mirror.root.root.public_bytes(Encoding.PEM)
    lists = b"".join(each.public_bytes(Encoding.PEM) for each in _lists(mirror))
    yield f"{TRUST}/crls.pem", lists


def pages(mirror: Mirror) -> Iterator[tuple[str, bytes]]:
    """For people; and what is in it, for programs."""
    yield README, _readme(mirror).encode()
    yield INDEX, _index(mirror).encode()
    yield MIRROR_FILE, canonical.dumps(mirror.to_json())


def sums(digests: Mapping[str, str]) -> bytes:
    """As `sha256sum --check` reads them; no name of ours has a backslash or a line feed."""
    lines = (f"{digest}  {name}\n" for name, digest in sorted(digests.items()))
    return "".join(lines).encode()


def _proof(bundle: Bundle) -> Proof:
    proof = bundle.proof
    return Proof(index=proof.index, hashes=proof.hashes, note=proof.note)


def commands(mirror: Mirror) -> Iterator[tuple[str, tuple[str, ...]]]:
    """How it is verified: what each says, and what to type in the mirror's folder."""
    return ((" ".join(why.split()), words) for why, words in _commands(mirror))


def _commands(mirror: Mirror) -> Iterator[tuple[str, tuple[str, ...]]]:
    root, newest, proofs = mirror.root, mirror.kept[0].path, mirror.kept[0].proofs
    yield (
        "Whether every file came whole (this trusts whoever serves it, and proves nothing more):",
        (f"sha256sum --check --quiet {SUMS}",),
    )
    why = """Whom you trust is for you to decide. Compare this fingerprint with one that you have
        from elsewhere: a printed page, a colleague, an older download."""
    trusting = f"assay trust add {TRUST}/trust-root.json --fingerprint {as_id(root.fingerprint)}"
    yield why, (trusting,)
    why = """All of a checkpoint: files, tensors, signatures, certificates, times, ledger, and who
        was revoked by when this was mirrored. It asks nobody."""
    yield why, (f"assay verify {newest} --as-of {instant_text(mirror.as_of)}",)
    why = "The files and their certificate, with OpenSSF Model Signing (no revocation, no ledger):"
    signature = f"--signature {newest}/model.sig --certificate_chain {TRUST}/root.pem"
    yield why, (f"model_signing verify certificate {newest} {signature}",)
    why = """The statement piece by piece, with OpenSSL: its certificate, that nobody in the chain
        was revoked, its signature, its time."""
    yield why, tuple(_openssl(proofs, at=_openssl_time(mirror)))


def _lists(mirror: Mirror) -> list[x509.CertificateRevocationList]:
    lists = dict.fromkeys(each for kept in mirror.kept for each in kept.evidence.lists)
    return [x509.load_der_x509_crl(each) for each in lists]


def _openssl_time(mirror: Mirror) -> int:
    """As of when, in seconds since 1970: it believes no list before the second that it is of."""
    made = (each.last_update_utc for each in _lists(mirror))
    return int(max(mirror.as_of, *made).timestamp())


def _openssl(signed: str, *, at: int) -> Iterator[str]:
    """Of the folder with the pieces; `at` is in seconds since 1970."""
    untrusted = f"-untrusted {signed}/intermediate.pem -CRLfile {TRUST}/crls.pem -crl_check_all"
    root = f"-attime {at} -CAfile {TRUST}/root.pem"
    yield f"openssl verify {root} {untrusted} {signed}/certificate.pem"
    yield f"openssl x509 -in {signed}/certificate.pem -noout -pubkey -out key.pem"
    signature = f"{signed}/signature.der"
    yield f"openssl dgst -sha256 -verify key.pem -signature {signature} {signed}/signed.bin"
    yield f"openssl ts -verify {root} -data {signature} -in {signed}/timestamp.tsr"


def _facts(mirror: Mirror) -> Iterator[str]:
    root, as_of = mirror.root, instant_text(mirror.as_of)
    yield (
        f"{mirror.project} as {root.registry} published it: {len(mirror.kept)} "
        f"checkpoint{'' if len(mirror.kept) == 1 else 's'}, mirrored at {as_of}. "
        "All of it verified then, and verifies without the registry."
    )
    yield (
        f"What was revoked after {as_of} is not known here: ask the registry while it answers, or "
        "a newer mirror."
    )


def _readme(mirror: Mirror) -> str:
    """Plain text, whose commands stand on lines of their own."""
    blocks = [mirror.project, *(textwrap.fill(each, 80) for each in _facts(mirror))]
    blocks.append("How to verify\n-------------")
    for why, words in commands(mirror):
        blocks.append(textwrap.fill(why, 80))
        blocks.append("\n".join(f"    {each}" for each in words))
    blocks.append("To fetch all of it from where it is served (URL ends in /):")
    blocks.append(
        f"    curl -fsO URL{SUMS}\n"
        f"    cut -c 67- {SUMS} | while IFS= read -r name; do\n"
        '        case "/$name/" in *//* | */../*) exit 1 ;; esac\n'
        f"        path=$(printf %s \"$name\" | sed '{ENCODED}')\n"
        '        curl -gfs --create-dirs -o "$name" "URL$path"\n'
        "    done"
    )
    return "\n\n".join(blocks) + "\n"


def _index(mirror: Mirror) -> str:
    """One page without script; it says what a page can, and the commands that prove it."""
    facts = "\n".join(f"<p>{html.escape(each)}</p>" for each in _facts(mirror))
    steps = "\n".join(
        f"<p>{html.escape(why)}</p>\n<pre>{html.escape(chr(10).join(words))}</pre>"
        for why, words in commands(mirror)
    )
    shown = "\n".join(_section(each) for each in mirror.kept)
    title = html.escape(mirror.project)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}: a mirror</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{facts}
<p><a href="{README}">{README}</a> · <a href="{SUMS}">{SUMS}</a> ·
<a href="{MIRROR_FILE}">{MIRROR_FILE}</a> · <a href="{TRUST}/trust-root.json">trust root</a></p>
<h2>Checkpoints</h2>
{shown}
<h2>How to verify</h2>
{steps}
</main>
</body>
</html>
"""


def _section(kept: Kept) -> str:
    """A checkpoint, its files and its proofs."""
    manifest, claim = kept.evidence.manifest, kept.claim
    rows = "\n".join(
        f"<tr><td>{_link(f'{kept.path}/{file.name}', file.name)}</td>"
        f"<td>{size_in_words(file.size)}</td><td><code>{file.sha256}</code></td></tr>"
        for file in manifest.files
    )
    proofs = " · ".join(
        _link(f"{kept.folder}/{path}", words)
        for path, words in (
            (f"{FILES}{EVIDENCE_SUFFIX}", "evidence"),
            *((f"{FILES}/{name}", name) for name in kept.beside),
            (f"{PROOFS}/{Part.CHECKPOINT}.bundle.json", "bundle"),
            (f"{PROOFS}/{Part.CHECKPOINT}.tlog-proof", "proof of the ledger"),
        )
    )
    return f"""<section>
<h3>{html.escape(claim.name)}</h3>
<p>Signed before {instant_text(kept.signed_before)}, under {html.escape(claim.conduct.id)}
{html.escape(claim.conduct.version)}. {size_in_words(manifest.size_bytes)}.</p>
<p><code>{as_id(manifest.id)}</code></p>
<div class="wide" role="region" tabindex="0" aria-label="files of {html.escape(claim.name)}"><table>
<thead><tr><th>file</th><th>size</th><th>SHA-256</th></tr></thead>
<tbody>
{rows}
</tbody>
</table></div>
<p>{proofs}</p>
</section>"""


def _link(path: str, words: str) -> str:
    return f'<a href="{quote(path)}">{html.escape(words)}</a>'


STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2, h3, p, code { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
pre { padding: .75rem; border: 1px solid; border-radius: .25rem; }
table { border-collapse: collapse; }
th, td { padding: .25rem 1rem .25rem 0; text-align: left; white-space: nowrap; }
section { border-top: 1px solid; }
"""
