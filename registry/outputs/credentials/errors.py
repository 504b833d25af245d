# SPDX-License-Identifier: Apache-2.0
"""What is refused of media, one class for each stable code."""

from __future__ import annotations

from registry.api.problems import Problem


class TypeUnknown(Problem):
    """No manifest is written into files of this type."""

    code = "media-type-unknown"
    title = "Files of this type are not signed here"
    status_code = 415


class NotOfItsType(Problem):
    """The bytes begin as a file of another type does."""

    code = "media-not-of-its-type"
    title = "The file is not of the type that it was sent as"
    status_code = 422


class MediaUnusable(Problem):
    """The bytes are not a whole file of their type, or not one that a manifest fits into."""

    code = "media-unusable"
    title = "No manifest can be written into this file"
    status_code = 422


class HasCredentials(Problem):
    """The file has a C2PA manifest, which another one would push aside."""

    code = "media-has-credentials"
    title = "This file has content credentials already"
    status_code = 422


class MediaNotKept(Problem):
    """The same request was answered before, and what was answered is not kept."""

    code = "media-not-kept"
    title = "This file was signed and given out before, and is not kept"
    status_code = 409
