# SPDX-License-Identifier: Apache-2.0
"""Blobs in a bucket of an S3-compatible store: `ab/DIGEST` below a prefix (ASSAY_BUCKET).

What S3 answers is durable, and an object appears whole or not at all, so that of the recipe in
folder.py only the hashing is left to do here. Parts are still received on a disk of this machine:
nothing goes to the bucket that has another digest than was announced.
"""

from __future__ import annotations

import functools
import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Self

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store
from typing_extensions import Buffer

from assay.signing import canonical
from assay.signing.canonical import Obj

from .folder import check_digest, make_folder

MAX_FILE_BYTES = 64 * 1024
# S3 takes 10,000 parts at most: the largest blob, 50 GB, has 5,961 of these. Four at once are
# 32 MiB of memory for an upload.
PUT_BYTES = 8 * 1024 * 1024
PUTS_AT_ONCE = 4
READ_BYTES = 1024 * 1024
# A store that is restarted is back by then; a caller waits no longer.
RETRY_FOR = timedelta(seconds=20)
CONNECT_WITHIN = timedelta(seconds=5)
RETRIES = 5
QUARANTINE = "quarantine"
LOCAL_PREFIX = ".part-read-"  # as a part's, so that the sweep removes what a crash leaves


class Unreachable(OSError):
    """The bucket does not answer, or not to these credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The file that ASSAY_BUCKET names: which bucket, and with whose key."""

    endpoint: str
    bucket: str
    region: str
    prefix: str
    access_key_id: str
    secret_access_key: str = field(repr=False)

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Raises InvalidDocument."""
        canonical.only(obj, *cls.__slots__)
        return cls(**{name: canonical.text(obj, name) for name in cls.__slots__})

    @classmethod
    def read(cls, file: str) -> Self:
        """Raises InvalidDocument or OSError."""
        with Path(file).open("rb") as source:
            content = canonical.loads(source.read(MAX_FILE_BYTES))
        return cls.parse(canonical.as_mapping(content, "bucket"))


@functools.lru_cache(maxsize=1)
def open_store(file: str) -> S3Store:
    """Kept, because it keeps its connections; another file is another store."""
    account = Account.read(file)
    return S3Store(
        account.bucket,
        prefix=account.prefix or None,
        endpoint=account.endpoint,
        region=account.region,
        access_key_id=account.access_key_id,
        secret_access_key=account.secret_access_key,
        client_options={
            "allow_http": account.endpoint.startswith("http://"),
            "connect_timeout": CONNECT_WITHIN,
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": RETRY_FOR},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A place of blobs (places.py) in a bucket."""

    store: S3Store
    parts: Path

    def settle(self, part: Path, sha256: str) -> None:
        """The whole transfer; without a row it is an orphan, which the sweep removes."""
        with _translated(sha256), part.open("rb") as source:
            self._put(_key(sha256), source)

    def take(self, part: Path, sha256: str) -> None:
        """It is there unless somebody removed it since it was settled."""
        if not self.stamp(sha256):
            self.settle(part, sha256)
        part.unlink(missing_ok=True)

    def open(self, sha256: str) -> BinaryIO:
        """The bytes, to be closed by the caller; the first are asked for when they are read."""
        with _translated(sha256):
            size_bytes = obstore.head(self.store, _key(sha256))["size"]
        reading = Reading(store=self.store, sha256=sha256, size_bytes=size_bytes)
        return io.BufferedReader(reading, READ_BYTES)

    @contextmanager
    def local(self, sha256: str) -> Iterator[Path]:
        """A copy, which is removed."""
        make_folder(self.parts)
        path = self.parts / f"{LOCAL_PREFIX}{secrets.token_hex(16)}"
        try:
            with self.open(sha256) as source, path.open("xb") as copy:
                while chunk := source.read(READ_BYTES):
                    copy.write(chunk)
            yield path
        finally:
            path.unlink(missing_ok=True)

    def stamp(self, sha256: str) -> str:
        """The entity tag is another one for other bytes, the time for the same ones again."""
        with suppress(FileNotFoundError), _translated(sha256):
            found = obstore.head(self.store, _key(sha256))
            return f"{found['e_tag']}-{found['last_modified'].timestamp()}"
        return ""

    def remove(self, sha256: str) -> None:
        """Gone, if it was there."""
        with suppress(FileNotFoundError), _translated(sha256):
            obstore.delete(self.store, _key(sha256))

    def quarantine(self, sha256: str) -> None:
        """Copied through here: S3 itself copies no object of more than 5 GB."""
        with _translated(sha256), self.local(sha256) as copy, copy.open("rb") as source:
            self._put(f"{QUARANTINE}/{check_digest(sha256)}", source)
        self.remove(sha256)

    def is_quarantined(self, sha256: str) -> bool:
        """That it was here, and was not what it should be."""
        with suppress(FileNotFoundError), _translated(sha256):
            obstore.head(self.store, f"{QUARANTINE}/{check_digest(sha256)}")
            return True
        return False

    def older_than(self, moment: datetime) -> Iterator[str]:
        """The digests of what has been here since before."""
        with _whole():
            for page in obstore.list(self.store, chunk_size=1000):
                for found in page:
                    folder, _, name = found["path"].rpartition("/")
                    if folder == name[:2] and found["last_modified"] < moment:
                        yield name

    def check(self) -> None:
        """Raises Unreachable; a HEAD, which has no body, would not tell a bucket from a blob."""
        with _whole():
            next(iter(obstore.list(self.store, chunk_size=1)), None)

    def _put(self, key: str, source: BinaryIO) -> None:
        with _whole():
            obstore.put(self.store, key, source, chunk_size=PUT_BYTES, max_concurrency=PUTS_AT_ONCE)


class Reading(io.RawIOBase):
    """An object as a file: one request from where somebody reads on, to the end."""

    def __init__(self, *, store: S3Store, sha256: str, size_bytes: int) -> None:
        super().__init__()
        self.name = f"sha256:{sha256}"
        self._store, self._sha256, self._size_bytes = store, sha256, size_bytes
        self._at, self._waiting = 0, b""
        self._coming: Iterator[Buffer] = iter(())

    def readable(self) -> bool:
        """As a file says it."""
        return True

    def seekable(self) -> bool:
        """As a file says it."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Where the next byte is read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        if base + offset != self._at:
            self._at, self._coming, self._waiting = base + offset, iter(()), b""
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override] # all that it is
        """As many bytes as there are at hand; none at the end."""
        if not self._waiting and self._at < self._size_bytes:
            self._waiting = self._next()
        count = min(len(buffer), len(self._waiting))
        buffer[:count] = self._waiting[:count]
        self._waiting, self._at = self._waiting[count:], self._at + count
        return count

    def _next(self) -> bytes:
        with _translated(self._sha256):
            if (chunk := next(self._coming, None)) is None:
                asked = obstore.get(
                    self._store, _key(self._sha256), options={"range": {"offset": self._at}}
                )
                self._coming = asked.stream(min_chunk_size=READ_BYTES)
                chunk = next(self._coming, b"")
        return bytes(chunk)


def _key(sha256: str) -> str:
    check_digest(sha256)
    return f"{sha256[:2]}/{sha256}"


@contextmanager
def _whole() -> Iterator[None]:
    """What is not found where no blob is asked for is the bucket."""
    try:
        with _translated(""):
            yield
    except FileNotFoundError as error:
        raise Unreachable("the bucket is not there") from error


@contextmanager
def _translated(sha256: str) -> Iterator[None]:
    """Errors of the store as those of files; its own words may name what is nobody's business."""
    try:
        yield
    except Unreachable:
        raise
    except (FileNotFoundError, NotFoundError) as error:  # obstore raises Python's own
        raise FileNotFoundError(f"expected the blob sha256:{sha256} in the bucket") from error
    except (BaseError, OSError) as error:
        raise Unreachable(
            f"the bucket does not answer as expected: {type(error).__name__}"
        ) from error
