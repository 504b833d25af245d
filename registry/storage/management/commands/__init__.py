# SPDX-License-Identifier: Apache-2.0
"""Management commands of storage."""
