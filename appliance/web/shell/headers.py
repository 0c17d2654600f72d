"""What every answer tells the browser it may do: nothing but this site's own files."""

from flask import Flask, Response, request

CSP = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind} 'self'" for kind in ("style-src", "script-src", "img-src", "font-src")),
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), usb=(), microphone=(self)",
}
OURS = ("assets.built", "static")  # the same for everybody: they say themselves who keeps them


def init_app(app: Flask) -> None:
    """Send them with every answer; pages, sounds and papers are kept by no cache."""

    @app.after_request
    def send(answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if request.endpoint not in OURS or "Cache-Control" not in answer.headers:
            answer.headers["Cache-Control"] = "no-store"
        return answer
