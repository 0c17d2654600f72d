"""Forms submitted without a new entry in the browser's history: Back leaves them at once.

A form with `data-in-place` is sent by static/in_place.js, which requests JSON. If the view returns
a redirect, the response is {"there": address}, and the script replaces the open page by the page at
that address.
"""

from flask import Flask, Response, json, request


def init_app(app: Flask) -> None:
    """Turn redirects after a POST into JSON for a script that requests it."""
    app.after_request(_redirect_as_json)


def _redirect_as_json(response: Response) -> Response:
    """Turn a redirect after a POST into a JSON object with its address.

    Responses to requests that accept more than JSON stay unchanged.
    """
    accepts_json = request.headers.get("Accept") == "application/json"
    if request.method != "POST" or not accepts_json or not 300 <= response.status_code < 400:
        return response
    location = response.headers.pop("Location")
    response.status_code, response.mimetype = 200, "application/json"
    response.set_data(json.dumps({"there": location}))
    return response
