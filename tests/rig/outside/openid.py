"""A real OpenID provider, and a browser's steps on its pages."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import requests

from appliance.core.settings import OpenId
from tests.rig.outside.party import ExternalServer, make_certificate

PROJECT_ROOT = Path(__file__).parents[3]
CLIENT_ID, CLIENT_SECRET = "hotline", "a secret of both"


def make_provider(
    folder: Path, address: str, return_url: str, secret: str = CLIENT_SECRET
) -> tuple[ExternalServer, OpenId]:
    """A provider that listens on host:port and returns users to `return_url`, with its settings."""
    issuer = f"https://{address}"
    authority = make_certificate(folder, address.partition(":")[0])
    script = PROJECT_ROOT / "tests/rig/outside/openid.mjs"
    node = str(PROJECT_ROOT / ".venv/bin/node")
    command = [node, str(script), str(folder), issuer, CLIENT_ID, secret, return_url]
    rules = OpenId("OneID", issuer, CLIENT_ID, secret, factors=("mfa",), ca=str(authority))
    return ExternalServer(folder, command, "listens"), rules


def visit_provider(
    rules: OpenId,
    url: str,
    login: str,
    *,
    with_second_factor: bool = False,
    claims: dict[str, Any] | None = None,
) -> str:
    """Sign in at the provider; returns the address to which the browser is sent back.

    `claims`: claims that replace the correct ones in the token.
    """
    form = {"login": login, "claims": json.dumps(claims or {})} | (
        {"twice": 1} if with_second_factor else {}
    )
    with requests.Session() as browser:
        browser.verify, browser.trust_env = rules.ca, False
        is_submitted = False
        for _ in range(10):
            response = browser.get(url, allow_redirects=False, timeout=20)
            if response.status_code == 200 and not is_submitted:
                is_submitted = True
                url = f"{url}?{urlencode(form)}"
                continue
            url = urljoin(url, response.headers["Location"])
            if not url.startswith(rules.issuer):
                return url
    raise AssertionError(f"never sent back: {url}")
