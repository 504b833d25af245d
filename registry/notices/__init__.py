# SPDX-License-Identifier: Apache-2.0
"""Webhooks: whoever watches a project is told what happened to it, by a signed request."""
