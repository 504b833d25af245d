# SPDX-License-Identifier: Apache-2.0
"""What storage refuses, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem, TooLarge


class InvalidDigest(Problem):
    """Not a SHA-256 as this registry writes it."""

    code = "invalid-digest"
    title = "This is not a digest"


class LengthRequired(Problem):
    """An upload that does not say how long it is."""

    code = "length-required"
    title = "An upload says how long it is"
    status_code = 411


class BlobTooLarge(TooLarge):
    """More than one blob may have."""

    code = "blob-too-large"
    title = "This is larger than a blob may be"


class DigestMismatch(Problem):
    """The bytes have another digest than the one they were sent under."""

    code = "digest-mismatch"
    title = "These bytes have another digest"
    status_code = 422


class TruncatedUpload(Problem):
    """Fewer bytes than were announced, or more."""

    code = "truncated-upload"
    title = "The upload is not as long as announced"
    status_code = 422


class NoSpace(Problem):
    """The disk is full, or nearly: writing stops, reading goes on."""

    code = "insufficient-storage"
    title = "There is no room for this now"
    status_code = 507


class QuotaExceeded(TooLarge):
    """More than this holder may store; says what is used, asked for and allowed."""

    code = "quota-exceeded"
    title = "This is more than may be stored in this name"


class BlobLost(Problem):
    """The row says we hold the blob, but the file is not there or shorter: a fault of ours."""

    code = "blob-lost"
    title = "The registry lost these bytes"
    status_code = 500


class ScrubRunning(Problem):
    """One process at a time reads all blobs."""

    code = "scrub-running"
    title = "The blobs are being read again already"
    status_code = 409


class BlobDamaged(BlobLost):
    """The bytes rotted and are kept from everybody until there are sound ones again."""

    code = "blob-damaged"
    title = "These bytes are damaged"
    status_code = 503


class StorageUnavailable(Problem):
    """The store that has the blobs does not answer at this moment."""

    code = "storage-unavailable"
    title = "The files cannot be reached now"
    status_code = 503


class WrongMethod(Problem):
    """Blobs are put, got and headed; files are got and headed."""

    code = "method-not-allowed"
    title = "This address does not take this method"
    status_code = 405


class UnsatisfiableRange(Problem):
    """A range that starts behind the end."""

    code = "range-not-satisfiable"
    title = "This range lies outside the file"
    status_code = 416


class UploadUnknown(Problem):
    """No parts of such a file wait: none came, they were joined, or they waited too long."""

    code = "upload-unknown"
    title = "There is no such upload"
    status_code = 409


class PartMissing(Problem):
    """A part has not come, or has come with other bytes than is said."""

    code = "part-missing"
    title = "A part of the upload is missing"
    status_code = 422
