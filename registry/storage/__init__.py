# SPDX-License-Identifier: Apache-2.0
"""Content-addressed blobs: bytes that are stored once, under their SHA-256, and never change."""
