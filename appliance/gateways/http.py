"""One HTTP request to a party outside, with what can go wrong told apart."""

from typing import Any

import requests

from appliance.gateways import NotSent, Unsure

_CONNECT, _ANSWER = 5.0, 15.0  # seconds


def ask(method: str, url: str, **how: Any) -> requests.Response:
    """The answer, whatever its status. Raises NotSent when the request surely did not arrive,
    Unsure when it may have."""
    try:
        return requests.request(method, url, timeout=(_CONNECT, _ANSWER), **how)
    except (requests.ConnectTimeout, requests.exceptions.InvalidURL) as error:
        raise NotSent("unreachable", _why(error)) from error
    except requests.ConnectionError as error:
        if _never_left(error):
            raise NotSent("unreachable", _why(error)) from error
        raise Unsure("answer_lost", _why(error)) from error
    except requests.RequestException as error:
        raise Unsure("answer_lost", _why(error)) from error


def told(answer: requests.Response) -> dict[str, Any]:
    """The answer's JSON object. Raises Unsure when it is none: a proxy's page, half an answer."""
    try:
        said = answer.json()
    except ValueError as error:
        raise Unsure("no_sense", answer.text[:200]) from error
    if not isinstance(said, dict):
        raise Unsure("no_sense", answer.text[:200])
    return said


def _why(error: requests.RequestException) -> str:
    """What people can use of it: without the address, which may hold a secret."""
    inner = error.args[0] if error.args else error
    reason = getattr(inner, "reason", None) or (getattr(inner, "args", None) or [inner])[-1]
    return str(reason).rpartition(": ")[2]


def _never_left(error: requests.ConnectionError) -> bool:
    """Whether the connection could not even be made: no such host, nobody listens, no route."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")
