# SPDX-License-Identifier: Apache-2.0
"""The wire of a private Sigstore: Fulcio v2, Rekor v2, and what leads clients to them."""
