# SPDX-License-Identifier: Apache-2.0
"""The transparency log: signed statements, their entries in one Merkle tree, signed tree heads."""
