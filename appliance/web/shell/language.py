"""The language of a page: the user's own; before signing in, the one selected on the page."""

from urllib.parse import quote, urlencode

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, redirect, request
from flask_babel import Babel, Domain, get_locale
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import i18n
from appliance.web.shell.request_data import local_address

LANGUAGE_COOKIE = "til"
COOKIE_SECONDS = 365 * 24 * 3600

# locale: value of ?til=, language tag, short name and full name
LANGUAGES = {
    "uz_Latn": ("uz", "uz-Latn", "Oʻz", "Oʻzbekcha (lotin)"),
    "uz_Cyrl": ("uzc", "uz-Cyrl", "Ўз", "Ўзбекча (кирилл)"),
    "ru": ("ru", "ru", "Ру", "Русский"),
}
_LOCALE_BY_PARAMETER = {language[0]: locale for locale, language in LANGUAGES.items()}


class _SharedTranslations(Domain):  # type: ignore[misc]  # flask-babel has no types
    """The translations of appliance.core.i18n, which reports and messages use as well.

    They are shared so that each catalogue is loaded only once.
    """

    def get_translations(self) -> NullTranslations:
        """Return the translations into the language of the request; flask-babel calls it."""
        return i18n.locale_translations(str(get_locale()))


def locale() -> str:
    """Return the locale of this request, one of i18n.LOCALES.

    It is the signed-in user's, or else the one in the browser's cookie, or else the default.
    """
    if current_user and current_user.is_authenticated:
        language: str = current_user.user.language
        return language
    cookie_locale = request.cookies.get(LANGUAGE_COOKIE, "")
    return cookie_locale if cookie_locale in LANGUAGES else i18n.DEFAULT_LOCALE


def init_app(app: Flask) -> None:
    """Set up translations and the time zone, and store the language that `?til=` selects.

    The stored language is used for visitors who have not signed in.
    """
    app.config["BABEL_DEFAULT_TIMEZONE"] = app.config["SITE"].timezone
    babel = Babel(app, default_locale=i18n.DEFAULT_LOCALE, locale_selector=_babel_locale)
    babel.domain_instance = _SharedTranslations()

    @app.before_request
    def choose_language() -> BaseResponse | None:
        """Store the language of `?til=` in a cookie and redirect, if it is valid."""
        requested_locale = _LOCALE_BY_PARAMETER.get(request.args.get("til", ""))
        if not requested_locale or request.method != "GET":
            return None
        # the same page without the parameter: it is redirected to, so that `?til=` acts only once
        remaining = [(k, v) for k, v in request.args.items(multi=True) if k != "til"]
        query = urlencode(remaining, safe="/")
        address = local_address(f"{quote(request.path)}{'?' if query else ''}{query}")
        response = redirect(
            address if address and request.endpoint else app.url_for("login.redirect_home")
        )
        response.set_cookie(
            LANGUAGE_COOKIE,
            requested_locale,
            COOKIE_SECONDS,
            secure=True,
            httponly=True,
            samesite="Lax",
        )
        return response

    @app.context_processor
    def language_context() -> dict[str, object]:
        return {"locale": locale(), "language_tag": LANGUAGES[locale()][1], "languages": LANGUAGES}


def _babel_locale() -> Locale:
    """Return the locale of this request as Babel's object."""
    return Locale.parse(locale())
