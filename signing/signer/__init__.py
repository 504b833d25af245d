# SPDX-License-Identifier: Apache-2.0
"""The signer: the one process that reads private keys (docs/spec/signer.md, docs/adr/0003).

protocol is what goes over its unix socket and client is what other processes import; service
decides what may be signed, keystore, audit and highwater are its files, ceremony makes them.
"""
