"""One HTTP request to a party outside, with what can go wrong told apart."""

import ssl
import sys
import traceback
from typing import Any

import requests

from appliance.core.delivery import Later, NotSent, Unsure

_CONNECT, _ANSWER = 5.0, 15.0  # seconds
_WAIT, _LONGEST = 30.0, 3600.0  # seconds to wait when a service does not say how long, and at most


def ask(method: str, url: str, **how: Any) -> requests.Response:
    """The answer, whatever its status. Raises NotSent when the request surely did not arrive,
    Unsure when it may have."""
    # A redirection would make a GET of a POST: whoever sends one is not the service.
    how["allow_redirects"] = False
    before = sys.exception()
    try:
        return requests.request(method, url, timeout=(_CONNECT, _ANSWER), **how)
    except (requests.ConnectTimeout, requests.exceptions.InvalidURL) as error:
        raise NotSent("unreachable", _why(error)) from error
    except requests.RequestException as error:
        if fault := _of_handshake(error, before):
            known = "certificate" if _is_refusal(fault) else "unreachable"
            raise NotSent(known, _why(error)) from error
        if _never_left(error):
            raise NotSent("unreachable", _why(error)) from error
        raise Unsure("answer_lost", _why(error)) from error


def json_object(answer: requests.Response) -> dict[str, Any]:
    """The answer's JSON object. Raises Unsure when it is none: a proxy's page, half an answer."""
    try:
        said = answer.json()
    except ValueError as error:
        raise Unsure("no_sense", answer.text[:200]) from error
    if not isinstance(said, dict) or 300 <= answer.status_code < 400:
        raise Unsure("no_sense", answer.text[:200])
    return said


def raise_for_status(answer: requests.Response) -> None:
    """Raise Later or NotSent for a status that lies in no message, whoever gave it: nothing was
    taken."""
    if answer.status_code == 429:
        raise Later("too_many", words(answer), _asked_wait(answer))
    if answer.status_code in (402, 403):
        raise NotSent("account", words(answer))
    if answer.status_code in (404, 405):
        raise NotSent("no_sense", words(answer))


def words(answer: requests.Response) -> str:
    """What an SMS service says for people, or how the answer begins."""
    try:
        said = answer.json()
        return str(said.get("message") or said["error-description"])[:200]
    except (ValueError, AttributeError, KeyError):
        return answer.text[:200]


def is_page(answer: requests.Response) -> bool:
    """Whether it is a page for people, as a network that wants money gives in a service's place."""
    begins = answer.content.lstrip(b"\xef\xbb\xbf\t\r\n ")[:1]
    kind = answer.headers.get("Content-Type", "").lower()
    # A service may call its plain words "text/html"; no page is without a tag.
    return begins == b"<" or ("html" in kind and b"<" in answer.content)


def _asked_wait(answer: requests.Response) -> float:
    """Seconds that a service asks to wait."""
    asked = answer.headers.get("Retry-After", "")
    return min(max(float(asked), 1.0), _LONGEST) if asked.isdecimal() else _WAIT


def _why(error: requests.RequestException) -> str:
    """What people can use of it: without the address, which may hold a secret."""
    inner = error.args[0] if error.args else error
    reason = getattr(inner, "reason", None) or (getattr(inner, "args", None) or [inner])[-1]
    return str(reason).rpartition(": ")[2]


def _of_handshake(error: BaseException, before: BaseException | None) -> BaseException | None:
    """What broke TLS before the request could go out, if that is what `error` comes of.

    requests raises the same for a handshake and for an answer that breaks. What was being handled
    `before` is of another request.
    """
    cause: BaseException | None = error
    while cause and cause is not before:
        frames = traceback.walk_tb(cause.__traceback__)
        if any(frame.f_code.co_name == "do_handshake" for frame, _ in frames):
            return cause
        cause = cause.__context__
    return None


def _is_refusal(fault: BaseException) -> bool:
    """Whether we would not trust who is there; else the line broke."""
    return isinstance(fault, ssl.SSLError) and not isinstance(fault, ssl.SSLEOFError)


def _never_left(error: requests.RequestException) -> bool:
    """Whether the connection could not even be made: no such host, nobody listens, no route."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")
