# SPDX-License-Identifier: Apache-2.0
"""The certificate authority in the registry: its ceremony, and what may be signed for whom."""
