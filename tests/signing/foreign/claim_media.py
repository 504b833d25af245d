# SPDX-License-Identifier: Apache-2.0
"""Have the C2PA library make a claim over an image, or judge one.

    claim_media.py sign CHAIN IMAGE OUT    prints what to sign, and reads the signature, in hex
    claim_media.py read ANCHORS IMAGE      prints the state, and the code of each failure

Runs in `.venv-clients`, with the library's own settings but for the trust anchors.
"""

# mypy: disable-error-code="import-not-found,misc,unused-ignore"

import json
import sys
from pathlib import Path

import c2pa

MEDIA_TYPE = "image/png"
MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
CLAIM = {
    "claim_generator_info": [{"name": "a test", "version": "1"}],
    "format": MEDIA_TYPE,
    "assertions": [
        {
            "label": "c2pa.actions.v2",
            "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": MADE}]},
        }
    ],
}
# What was signed is judged by `read` alone.
SIGNING = {"builder": {"thumbnail": {"enabled": False}}, "verify": {"verify_after_sign": False}}


def ask(data: bytes) -> bytes:
    """Whoever has the key is at the other end."""
    sys.stdout.write(f"{data.hex()}\n")
    sys.stdout.flush()
    return bytes.fromhex(sys.stdin.readline())


def sign(chain: str, image: str, out: str) -> None:
    """A claim in a copy of the image."""
    certificates = Path(chain).read_text()
    signer = c2pa.Signer.from_callback(ask, c2pa.C2paSigningAlg.ES256, certificates, None)
    builder = c2pa.Builder(CLAIM, context=c2pa.Context.from_dict(SIGNING))
    with Path(image).open("rb") as source, Path(out).open("w+b") as target:
        builder.sign(signer, MEDIA_TYPE, source, target)


def read(anchors: str, image: str) -> None:
    """What a validator that trusts these roots says."""
    trust = {
        "trust": {"trust_anchors": Path(anchors).read_text()},
        "verify": {"verify_trust": True},
    }
    with Path(image).open("rb") as stream:
        reader = c2pa.Reader(MEDIA_TYPE, stream, context=c2pa.Context.from_dict(trust))
        found = json.loads(reader.json())
    codes = [each["code"] for each in found.get("validation_status", [])]
    sys.stdout.write(" ".join([found["validation_state"], *codes]) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "sign":
        sign(*sys.argv[2:])
    else:
        read(*sys.argv[2:])
