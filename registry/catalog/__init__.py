# SPDX-License-Identifier: Apache-2.0
"""Projects, data sets and checkpoints: received, signed, published, browsed, fetched."""
