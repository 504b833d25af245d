# SPDX-License-Identifier: Apache-2.0
"""The web container's health check: asks /readyz as the proxy in front of it would."""

import http.client
import os
import sys
from urllib.parse import urlsplit

public = urlsplit(os.environ["ASSAY_PUBLIC_URL"])
headers = {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=5)
connection.request("GET", "/readyz", headers=headers)
sys.exit(connection.getresponse().status != http.HTTPStatus.OK)
