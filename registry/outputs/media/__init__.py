# SPDX-License-Identifier: Apache-2.0
"""Pictures, sound, films and documents that callers send, to be signed with a C2PA manifest."""
