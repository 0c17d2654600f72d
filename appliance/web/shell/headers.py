"""What every answer tells the browser it may do: nothing but this site's own files."""

from flask import Flask, Response

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


def init_app(app: Flask) -> None:
    """Send them with every answer; pages are kept by no cache."""

    @app.after_request
    def send(answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if "Cache-Control" not in answer.headers:
            answer.headers["Cache-Control"] = "no-store"
        return answer
