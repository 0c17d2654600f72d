"""A real OpenID provider, and what a browser does on its pages."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import requests

from appliance.core.settings import OpenId
from tests.rig.outside.party import Party, make_certificate

TREE = Path(__file__).parents[3]
CLIENT, SECRET = "hotline", "a secret of both"


def provider(folder: Path, address: str, back: str, secret: str = SECRET) -> tuple[Party, OpenId]:
    """One that listens on host:port and sends people `back`, with its settings."""
    issuer = f"https://{address}"
    authority = make_certificate(folder, address.partition(":")[0])
    script = TREE / "tests/rig/outside/openid.mjs"
    node = str(TREE / ".venv/bin/node")
    command = [node, str(script), str(folder), issuer, CLIENT, secret, back]
    rules = OpenId("OneID", issuer, CLIENT, secret, factors=("mfa",), ca=str(authority))
    return Party(folder, command, "listens"), rules


def visit(
    rules: OpenId,
    there: str,
    login: str,
    *,
    twice: bool = False,
    claims: dict[str, Any] | None = None,
) -> str:
    """Sign in there; returns the address to which the browser is sent back.

    `claims`: what its token says in place of what belongs there.
    """
    typed = {"login": login, "claims": json.dumps(claims or {})} | ({"twice": 1} if twice else {})
    with requests.Session() as browser:
        browser.verify, browser.trust_env = rules.ca, False
        named = False
        for _ in range(10):
            answer = browser.get(there, allow_redirects=False, timeout=20)
            if answer.status_code == 200 and not named:
                named = True
                there = f"{there}?{urlencode(typed)}"
                continue
            there = urljoin(there, answer.headers["Location"])
            if not there.startswith(rules.issuer):
                return there
    raise AssertionError(f"never sent back: {there}")
