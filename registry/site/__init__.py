# SPDX-License-Identifier: Apache-2.0
"""What joins the other apps for people: the first page, health, sign-in link, template tags."""
