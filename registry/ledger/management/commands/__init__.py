# SPDX-License-Identifier: Apache-2.0
"""The management commands of the ledger, thin over its services."""
