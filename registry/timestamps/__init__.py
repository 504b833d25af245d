# SPDX-License-Identifier: Apache-2.0
"""The RFC 3161 timestamp authority's door: the signer answers, this app only carries the bytes."""
