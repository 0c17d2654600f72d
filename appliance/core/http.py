"""One HTTP request to an outside party, with a separate error for each kind of failure."""

import ssl
import sys
import traceback
from typing import Any

import requests

from appliance.core.delivery import NotSentError, RetryLaterError, UncertainDeliveryError

_CONNECT_TIMEOUT_SECONDS, _ANSWER_TIMEOUT_SECONDS = 5.0, 15.0
_DEFAULT_WAIT_SECONDS, _MAX_WAIT_SECONDS = 30.0, 3600.0  # until a retry
_MAX_DETAIL_LENGTH = 200  # characters of an answer in an error; an answer can be a whole page


def send_request(method: str, url: str, **kwargs: Any) -> requests.Response:
    """Send a request to a service outside the appliance; returns the response, whatever its status.

    `kwargs` are those of `requests.request`; redirections are not followed. Raises NotSentError if
    the request certainly did not arrive, UncertainDeliveryError if it may have arrived.
    """
    # A redirection would turn a POST into a GET: a server that sends one is not the service.
    kwargs["allow_redirects"] = False
    outer_exception = sys.exception()  # of a caller that tries again; no cause of a new error
    try:
        return requests.request(
            method, url, timeout=(_CONNECT_TIMEOUT_SECONDS, _ANSWER_TIMEOUT_SECONDS), **kwargs
        )
    except (requests.ConnectTimeout, requests.exceptions.InvalidURL) as error:
        raise NotSentError("unreachable", _error_reason(error)) from error
    except requests.RequestException as error:
        if fault := _handshake_fault(error, outer_exception):
            code = "certificate" if _is_certificate_refusal(fault) else "unreachable"
            raise NotSentError(code, _error_reason(error)) from error
        if _is_connection_failure(error):
            raise NotSentError("unreachable", _error_reason(error)) from error
        raise UncertainDeliveryError("answer_lost", _error_reason(error)) from error


def json_object(response: requests.Response) -> dict[str, Any]:
    """Return the JSON object in the response.

    Raises UncertainDeliveryError if the answer is not a JSON object (a proxy's page, an incomplete
    response) or is a redirection (which the service itself never sends).
    """
    try:
        payload = response.json()
    except ValueError as error:
        raise UncertainDeliveryError("no_sense", response.text[:_MAX_DETAIL_LENGTH]) from error
    if not isinstance(payload, dict) or 300 <= response.status_code < 400:
        raise UncertainDeliveryError("no_sense", response.text[:_MAX_DETAIL_LENGTH])
    return payload


def raise_for_service_fault(response: requests.Response) -> None:
    """Raise the error for a response whose status shows a fault of the service, not of the message.

    Raises RetryLaterError for 429, and NotSentError for 402 to 405: a server that returns such a
    status has accepted nothing. For any other status it raises nothing: the services use these
    differently, and the caller interprets them.
    """
    if response.status_code == 429:
        raise RetryLaterError("too_many", error_text(response), _retry_after_seconds(response))
    if response.status_code in (402, 403):
        raise NotSentError("account", error_text(response))
    if response.status_code in (404, 405):
        raise NotSentError("no_sense", error_text(response))


def error_text(response: requests.Response) -> str:
    """Return the error text in a response's JSON object, or else the response's beginning.

    The text is in `message` or `error-description`, the fields that the SMS services use. It is cut
    to _MAX_DETAIL_LENGTH characters.
    """
    try:
        payload = response.json()
        return str(payload.get("message") or payload["error-description"])[:_MAX_DETAIL_LENGTH]
    except (ValueError, AttributeError, KeyError):
        return response.text[:_MAX_DETAIL_LENGTH]


def is_html_page(response: requests.Response) -> bool:
    """Return True if an HTML page came in place of the service's answer, such as a login page."""
    # A page may begin with a byte order mark of UTF-8, and blanks.
    first_byte = response.content.lstrip(b"\xef\xbb\xbf\t\r\n ")[:1]
    content_type = response.headers.get("Content-Type", "").lower()
    # A service may label its plain text "text/html"; no page is without a tag.
    return first_byte == b"<" or ("html" in content_type and b"<" in response.content)


def _retry_after_seconds(response: requests.Response) -> float:
    """Return how many seconds to wait until the next request, as the service's Retry-After asks.

    It is from 1 to _MAX_WAIT_SECONDS, and _DEFAULT_WAIT_SECONDS if the header holds no number: it
    may hold a date instead, or be missing.
    """
    retry_after = response.headers.get("Retry-After", "")
    return (
        min(max(float(retry_after), 1.0), _MAX_WAIT_SECONDS)
        if retry_after.isdecimal()
        else _DEFAULT_WAIT_SECONDS
    )


def _error_reason(error: requests.RequestException) -> str:
    """Return an error's reason as text for the log, without the URL, which may contain a secret."""
    # The library wraps an error of urllib3. Its `reason`, or last argument, is the original error,
    # whose text ends with ": REASON", after the object and its address.
    inner = error.args[0] if error.args else error
    reason = getattr(inner, "reason", None) or (getattr(inner, "args", None) or [inner])[-1]
    return str(reason).rpartition(": ")[2]


def _handshake_fault(
    error: BaseException, outer_exception: BaseException | None
) -> BaseException | None:
    """Return the exception that broke the TLS handshake, if that is what caused `error`.

    The request was then certainly not sent. The `requests` library raises the same exception for a
    failed handshake as for a response that breaks off; therefore the chain of causes is searched.
    The search ends at `outer_exception`, which was being handled before the request began.
    """
    cause: BaseException | None = error
    while cause and cause is not outer_exception:
        frames = traceback.walk_tb(cause.__traceback__)
        if any(frame.f_code.co_name == "do_handshake" for frame, _ in frames):
            return cause
        cause = cause.__context__
    return None


def _is_certificate_refusal(fault: BaseException) -> bool:
    """Return True if the certificate made the handshake fail, False if the connection broke."""
    return isinstance(fault, ssl.SSLError) and not isinstance(fault, ssl.SSLEOFError)


def _is_connection_failure(error: requests.RequestException) -> bool:
    """Return True if no connection could be made: no such host, no listener, no route."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    # The names of urllib3's errors.
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")
