# SPDX-License-Identifier: Apache-2.0
"""Identity tokens of OpenID Connect providers: which ones are believed, and what they say."""
