"""The language of a page: the person's own, else the one chosen before signing in."""

from urllib.parse import quote, urlencode

from babel import Locale
from babel.support import NullTranslations
from flask import Flask, redirect, request
from flask_babel import Babel, Domain, get_locale
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.core import i18n
from appliance.web.shell.sent import ours

COOKIE = "til"
YEAR = 365 * 24 * 3600

# locale: what ?til= says, the language tag, the short name and the whole one
LANGUAGES = {
    "uz_Latn": ("uz", "uz-Latn", "Oʻz", "Oʻzbekcha (lotin)"),
    "uz_Cyrl": ("uzc", "uz-Cyrl", "Ўз", "Ўзбекча (кирилл)"),
    "ru": ("ru", "ru", "Ру", "Русский"),
}
_ASKED = {language[0]: locale for locale, language in LANGUAGES.items()}


class _Texts(Domain):
    """The catalogues that reports and messages have, read once for them all."""

    def get_translations(self) -> NullTranslations:
        return i18n.translations(str(get_locale()))


def locale() -> str:
    """The locale of this request, one of i18n.LOCALES."""
    if current_user and current_user.is_authenticated:
        return current_user.user.language
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGES else i18n.DEFAULT


def init_app(app: Flask) -> None:
    """Texts, dates and `?til=` for those who have not signed in."""
    app.config["BABEL_DEFAULT_TIMEZONE"] = app.config["SITE"].timezone
    babel = Babel(app, default_locale=i18n.DEFAULT, locale_selector=_locale)
    babel.domain_instance = _Texts()

    @app.before_request
    def choose() -> BaseResponse | None:
        asked = _ASKED.get(request.args.get("til", ""))
        if not asked or request.method != "GET":
            return None
        others = [(k, v) for k, v in request.args.items(multi=True) if k != "til"]
        asking = urlencode(others, safe="/")
        back = ours(f"{quote(request.path)}{'?' if asking else ''}{asking}")
        there = redirect(back if back and request.endpoint else app.url_for("login.home"))
        there.set_cookie(COOKIE, asked, YEAR, secure=True, httponly=True, samesite="Lax")
        return there

    @app.context_processor
    def words() -> dict[str, object]:
        return {"locale": locale(), "language_tag": LANGUAGES[locale()][1], "languages": LANGUAGES}


def _locale() -> Locale:
    return Locale.parse(locale())
