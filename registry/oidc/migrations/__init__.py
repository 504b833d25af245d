# SPDX-License-Identifier: Apache-2.0
"""The migrations of oidc, one per change."""
