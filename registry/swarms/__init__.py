# SPDX-License-Identifier: Apache-2.0
"""Files for programs that fetch from several places: Metalink and BitTorrent (docs/spec/hub.md)."""
