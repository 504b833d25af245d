# SPDX-License-Identifier: Apache-2.0
"""What every API view shares: problems (RFC 9457), the strict JSON parser, paging, the schema."""
