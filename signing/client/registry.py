# SPDX-License-Identifier: Apache-2.0
"""One registry, spoken to with httpx: problem+json becomes ClientError, digests are checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

import httpx

from .. import canonical, durable
from ..digests import CHUNK_BYTES, as_id, sha256, sha256_file
from ..errors import DigestMismatch
from ..trust import TrustRoot
from .connecting import connect
from .errors import ClientError, RegistryUnreachable

TIMEOUT_SECONDS = 60.0  # longer than the 30 s that POST /outputs may wait
CONNECT_SECONDS = 20.0  # whoever answers, accepts a connection at once
MAX_JSON_BYTES = 16 * 1024 * 1024
LISTS_PATH = "/authority/crls.pem"
TRUST_ROOT_PATH = "/.well-known/assay/trust-root.json"
# Bytes as they are: what is compressed may be a thousand times as large once it is read.
PLAIN = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "assay"}
NO_CONTENT = 204
PARTIAL_CONTENT = 206
NOT_FOUND = 404
SERVER_ERROR = 500
MAX_REASONS = 100  # five times as many as a registry gives
MAX_REASON_CHARACTERS = 1000


class RegistryClient:
    """A registry at a URL, and who the caller is there. Use as a context manager, or close."""

    def __init__(
        self, url: str, token: str | None = None, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS))
        self._http = connect(self.url, timeout, {**PLAIN, **headers})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def trust_root(self) -> TrustRoot:
        """What this registry asks to be trusted by. Nothing is pinned by fetching it."""
        with self._answer("GET", TRUST_ROOT_PATH) as answer:
            data = _read(answer)
        return TrustRoot.parse(canonical.loads(data))

    def revocation_lists(self) -> bytes:
        """The newest lists of all that it has revoked, in PEM; fetching them proves nothing."""
        with self._answer("GET", LISTS_PATH) as answer:
            return _read(answer)

    def get_json(self, path: str, params: Mapping[str, str] | None = None) -> object:
        """The JSON document at a path."""
        with self._answer("GET", path, params=params) as answer:
            return _json(answer)

    def get_document(self, path: str) -> object:
        """The same for a document of ours, which is read as strictly as if it came from a file."""
        with self._answer("GET", path) as answer:
            return canonical.loads(_read(answer))

    def post_json(
        self, path: str, body: object, *, idempotency_key: str | None = None
    ) -> object | None:
        """Send JSON; the JSON answered, or None for an answer without content."""
        headers = {"Content-Type": "application/json"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        with self._answer("POST", path, headers=headers, content=content) as answer:
            return None if answer.status_code == NO_CONTENT else _json(answer)

    def post_for_stream(self, path: str, body: object) -> Iterator[bytes]:
        """Send JSON; the bytes answered, however many they are, as they come."""
        headers = {"Accept": "*/*", "Content-Type": "application/json"}
        content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        with self._answer("POST", path, headers=headers, content=content) as answer:
            yield from answer.iter_bytes(CHUNK_BYTES)

    def delete(self, path: str) -> None:
        """Have what is at a path taken away."""
        with self._answer("DELETE", path):
            pass

    def put_blob(self, path: Path) -> str:
        """Upload a file under its digest, which is returned (hexadecimal)."""
        digest, size_bytes = sha256_file(path)
        with path.open("rb") as file:
            self.put(digest, size_bytes, _chunks(file))
        return digest

    def put(self, digest: str, size_bytes: int, content: Iterator[bytes]) -> None:
        """Upload so many bytes under their digest, both known."""
        headers = {"Content-Length": str(size_bytes), "Content-Type": "application/octet-stream"}
        with self._answer("PUT", _blob_path(digest), headers=headers, content=content):
            pass

    def put_part(self, path: str, size_bytes: int, content: Iterator[bytes]) -> str:
        """Upload so many bytes to an address that was given for them; the ETag answered."""
        headers = {"Content-Length": str(size_bytes), "Content-Type": "application/octet-stream"}
        with self._answer("PUT", path, headers=headers, content=content) as answer:
            return str(answer.headers.get("ETag", "")).strip('"')

    def has_blob(self, digest: str) -> bool:
        """Whether the caller may read a blob there, as who sent one may; not one that is damaged.

        Raises ClientError for any other refusal.
        """
        try:
            with self._answer("HEAD", _blob_path(digest)):
                return True
        except ClientError as error:
            # A HEAD has no body that says why: what is lost or damaged there has to be sent again,
            # and a registry that is merely away says so to the PUT as well.
            if error.status == NOT_FOUND or (error.status or 0) >= SERVER_ERROR:
                return False
            raise

    def get_blob(self, digest: str, size_bytes: int, destination: Path) -> None:
        """Download a blob; `destination` appears only when all of it is there, with the digest.

        Of a blob that is longer than it should be, the rest is not read.
        """
        hasher, received_bytes = hashlib.sha256(), 0
        with durable.replacing(destination) as file:
            with self._answer("GET", _blob_path(digest)) as answer:
                for chunk in answer.iter_bytes(CHUNK_BYTES):
                    hasher.update(chunk)
                    received_bytes += file.write(chunk)
                    if received_bytes > size_bytes:
                        break
            found = hasher.hexdigest()
            if (found, received_bytes) != (digest, size_bytes):
                raise DigestMismatch(
                    f"expected a blob {as_id(digest)} of {size_bytes} bytes, "
                    f"received {as_id(found)} of {received_bytes}"
                )

    def small_blob(self, digest: str) -> bytes:
        """A blob of the size of a document, with its digest checked; raises DigestMismatch."""
        with self._answer("GET", _blob_path(digest)) as answer:
            data = _read(answer)
        if (found := sha256(data)) != digest:
            raise DigestMismatch(f"expected a blob {as_id(digest)}, received {as_id(found)}")
        return data

    def blob_range(self, digest: str, start: int, stop: int) -> Iterator[bytes]:
        """A blob's bytes from `start` up to `stop`, as they come; raises ClientError for others.

        They are not checked against the digest: a part has none of its own.
        """
        headers = {"Range": f"bytes={start}-{stop - 1}"}
        wanted, received_bytes = f"bytes {start}-{stop - 1}/", 0
        with self._answer("GET", _blob_path(digest), headers=headers) as answer:
            found = answer.headers.get("Content-Range", "no range")
            if answer.status_code != PARTIAL_CONTENT or not found.startswith(wanted):
                raise ClientError(
                    f"expected {wanted}… of {as_id(digest)}, found {found}",
                    status=answer.status_code,
                )
            for chunk in answer.iter_bytes(CHUNK_BYTES):
                received_bytes += len(chunk)
                if received_bytes > stop - start:
                    break
                yield chunk
        if received_bytes != stop - start:
            raise RegistryUnreachable(
                f"expected {stop - start} bytes of {as_id(digest)}, received {received_bytes}"
            )

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | Iterator[bytes] | None = None,
    ) -> Iterator[httpx.Response]:
        """The answer to one request, its body not read yet; raises ClientError for a refusal."""
        try:
            with self._http.stream(
                method, self.url + path, params=params, headers=headers, content=content
            ) as answer:
                if (coding := answer.headers.get("Content-Encoding", "identity")) != "identity":
                    raise ClientError(
                        f"expected {answer.url} as it is, found it encoded: {coding[:40]!a}",
                        status=answer.status_code,
                    )
                if not answer.is_success:
                    raise _refusal(answer)
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise RegistryUnreachable(f"{self.url} cannot be reached: {reason}") from error


def _refusal(answer: httpx.Response) -> ClientError:
    """What a refusal says: RFC 9457 if it is, else its status line."""
    prefix = f"{answer.request.method} {answer.url} answered {answer.status_code}"
    try:
        problem = _json(answer)
    except ClientError:
        problem = None
    if not isinstance(problem, dict):
        return ClientError(f"{prefix} {answer.reason_phrase}", status=answer.status_code)
    fields = cast("dict[str, object]", problem)
    detail = fields.get("detail") or fields.get("title") or answer.reason_phrase
    code = fields.get("code")
    reasons = tuple(_reasons(fields.get("errors")))
    is_repeated = all(reason in str(detail) for reason in reasons)
    title = fields.get("title") if is_repeated else detail
    return ClientError(
        f"{prefix}: {detail}",
        status=answer.status_code,
        problem=code if isinstance(code, str) else None,
        title=f"{prefix}: {title}",
        reasons=reasons,
    )


def _reasons(errors: object) -> Iterator[str]:
    """What a problem says of single fields: `[{"field", "message"}]`."""
    for each in cast("list[object]", errors)[:MAX_REASONS] if isinstance(errors, list) else []:
        if isinstance(each, dict):
            stated = cast("dict[str, object]", each)
            said = [str(stated[name]) for name in ("field", "message") if stated.get(name)]
            yield ": ".join(said)[:MAX_REASON_CHARACTERS]


def _json(answer: httpx.Response) -> object:
    data = _read(answer)
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ClientError(
            f"expected JSON from {answer.url}, found something else", status=answer.status_code
        ) from error
    return value


def _read(answer: httpx.Response) -> bytes:
    """The body, if it is of a size that JSON may have."""
    body = bytearray()
    for chunk in answer.iter_bytes():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise ClientError(
                f"expected at most {MAX_JSON_BYTES} bytes from {answer.url}, found more",
                status=answer.status_code,
            )
    return bytes(body)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _blob_path(digest: str) -> str:
    return f"/api/v1/blobs/{as_id(digest)}"
