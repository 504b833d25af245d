# SPDX-License-Identifier: Apache-2.0
"""Puts zeros into a bucket and gets them back; prints their digest and the memory it took.

python transferring.py S3_FILE FOLDER SIZE_BYTES
"""

from __future__ import annotations

import hashlib
import resource
import sys
from pathlib import Path

from registry.storage.bucket import Bucket, open_store

CHUNK_BYTES = 1 << 20


def peak_bytes() -> int:
    """The most that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """See above."""
    file, folder, size_bytes = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    part, digest = folder / "zeros", hashlib.sha256()
    with part.open("wb") as zeros:
        for _ in range(size_bytes // CHUNK_BYTES):
            zeros.write(bytes(CHUNK_BYTES))
    bucket = Bucket(store=open_store(file), parts=folder)
    bucket.stamp("0" * 64)  # what connecting takes is no part of a transfer
    before_bytes = peak_bytes()
    bucket.take(part, "0" * 64)
    with bucket.open("0" * 64) as source:
        while chunk := source.read(CHUNK_BYTES):
            digest.update(chunk)
    sys.stdout.write(f"{digest.hexdigest()} {peak_bytes() - before_bytes}\n")


if __name__ == "__main__":
    main()
