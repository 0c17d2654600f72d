"""Forms that are sent without a new entry in the browser's history: Back leads out of them at once.

A form with `data-in-place` is sent by static/in_place.js, which asks for JSON; the redirect that
the view answers with comes as {"there": address}, and takes the place of the open page.
"""

from flask import Flask, Response, json, request


def init_app(app: Flask) -> None:
    """Turn redirects after a POST into JSON for the script that asks for it."""
    app.after_request(_as_json)


def _as_json(answer: Response) -> Response:
    wanted = request.headers.get("Accept") == "application/json"
    if request.method != "POST" or not wanted or not 300 <= answer.status_code < 400:
        return answer
    there = answer.headers.pop("Location")
    answer.status_code, answer.mimetype = 200, "application/json"
    answer.set_data(json.dumps({"there": there}))
    return answer
