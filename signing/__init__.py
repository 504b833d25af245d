# SPDX-License-Identifier: Apache-2.0
"""Signs and verifies what Assay publishes: one pure library for server, volunteer and verifier.

No module here reads a clock or opens a socket, and only `keys`, `manifest`, `digests` and `durable`
touch files, where their names say so; `signer`, `client` and `commands` are the programs built on
it.
"""
