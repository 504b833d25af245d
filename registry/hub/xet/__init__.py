# SPDX-License-Identifier: Apache-2.0
"""Xet's uploads: what clients from 1.0 on send large files by, turned into blobs (docs/adr/0022).

xorbs    chunks of files, compressed and packed: each is kept unpacked, and indexed by its chunks
shards   which chunks make which files: the files are rebuilt, compared and kept as blobs

Whoever sent a xorb may build files from it, and nobody else. Nothing is downloaded this way.
"""
