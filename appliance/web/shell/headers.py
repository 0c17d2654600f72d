"""Security headers of every response: the browser may load only this site's own files."""

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
SECURITY_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), usb=(), microphone=(self)",
}
# Files that are the same for all users; their views set Cache-Control themselves.
FILE_ENDPOINTS = (
    "assets.send_built_file",
    "static",
)


def init_app(app: Flask) -> None:
    """Add the headers to every response. Only the files of FILE_ENDPOINTS may be cached."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        """Add the security headers, and forbid caching except for those files."""
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if request.endpoint not in FILE_ENDPOINTS or "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response
