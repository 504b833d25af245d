# SPDX-License-Identifier: Apache-2.0
"""Runs in .venv-clients: asks a URL for a timestamp with rfc3161-client alone, and verifies it.

    stamp.py URL FOLDER with|without

Prints `verified` for FOLDER/data, and `refused` when FOLDER/other is refused.
"""
# mypy: disable-error-code="import-not-found,import-untyped,misc,unused-ignore"

import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)


def main(url: str, folder: Path, certificates: str) -> None:
    """Ask, then verify the right data and the wrong."""
    data = (folder / "data").read_bytes()
    wants = certificates == "with"
    query = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
    request = query.cert_request(cert_request=wants).build()
    headers = {"Content-Type": "application/timestamp-query"}
    authority = HTTPConnection(urlsplit(url).netloc, timeout=60)
    authority.request("POST", urlsplit(url).path, request.as_bytes(), headers)
    response = decode_timestamp_response(authority.getresponse().read())
    authority.close()
    leaf, intermediate = x509.load_pem_x509_certificates((folder / "chain.pem").read_bytes())
    (root,) = x509.load_pem_x509_certificates((folder / "root.pem").read_bytes())
    builder = VerifierBuilder.from_request(request).tsa_certificate(leaf)
    verifier = builder.add_root_certificate(root).add_intermediate_certificate(intermediate).build()
    verifier.verify_message(response, data)
    sys.stdout.write("verified\n")
    try:
        verifier.verify_message(response, (folder / "other").read_bytes())
    except VerificationError:
        sys.stdout.write("refused\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
