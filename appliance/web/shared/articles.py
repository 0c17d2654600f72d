"""Knowledge-base articles on other pages: those opened during a call, and their fields' labels."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.casework.knowledge import openings, wording
from appliance.web.shell.language import locale

FIELDS: dict[str, LazyString] = {
    "title_uz": _l("Title in Uzbek"),
    "text_uz": _l("Text in Uzbek"),
    "title_ru": _l("Title in Russian"),
    "text_ru": _l("Text in Russian"),
    "source": _l("Source"),
    "law": _l("Law"),
    "law_number": _l("Number of the document"),
    "law_on": _l("Date of the document"),
    "expires_on": _l("Valid until"),
    "files": _l("Files"),
}


def article_openings(call_id: str, *tokens: str | None) -> list[tuple[str, openings.OpenedArticle]]:
    """Return (title, opening) of the articles opened during a call or at one of these forms.

    `tokens` are the random ids by which the operator's page identifies its forms; a missing one is
    ignored. Each opening is listed, in the order of time.
    """
    openings_at_call = openings.articles_opened_at_call(
        call_id, [token for token in tokens if token]
    )
    return [
        (wording.localized_title(opening.version, locale()), opening)
        for opening in openings_at_call
    ]
