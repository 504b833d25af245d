# SPDX-License-Identifier: Apache-2.0
"""The management commands of sigstore, thin over its services."""
