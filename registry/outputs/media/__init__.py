# SPDX-License-Identifier: Apache-2.0
"""Pictures, sound, films and documents: their C2PA manifests, built here from what is signed."""
