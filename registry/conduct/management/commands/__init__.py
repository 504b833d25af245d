# SPDX-License-Identifier: Apache-2.0
"""The management commands of conduct, thin over its services."""
