"""How it is told where an article stands, what it says otherwise, and what cannot be done."""

from typing import TYPE_CHECKING

from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import versions
from appliance.casework.knowledge import wording
from appliance.web.shell import formats
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import ArticleVersion

# standing: name, the badge's kind, the icon
STANDINGS: dict[str, tuple[LazyString, str, str]] = {
    one.code: (lazy_gettext(one.name), one.tone, one.icon) for one in versions.STANDINGS.values()
}
# step of versions.MOVES: what its button says, its icon
BUTTONS: dict[str, tuple[LazyString, str]] = {
    "send": (_l("Send to the ministry"), "send"),
    "take_back": (_l("Take back"), "undo-2"),
    "approve": (_l("Approve"), "check"),
    "return": (_l("Return with words"), "undo-2"),
    "put": (_l("Put in force"), "circle-check"),
    "withdraw": (_l("Do not put in force"), "undo-2"),
    "retire": (_l("Take out of force"), "archive"),
}
DONE: dict[str, LazyString] = {
    "send": _l("Sent to the ministry."),
    "take_back": _l("Taken back: it can be written again."),
    "approve": _l("Approved."),
    "return": _l("Returned to the manager."),
    "put": _l("It is in force, or will be from its moment."),
    "withdraw": _l("It is not put in force."),
    "retire": _l("It is out of force."),
}
FIELDS: dict[str, LazyString] = {
    "title_uz": _l("Title in Uzbek"),
    "text_uz": _l("Text in Uzbek"),
    "title_ru": _l("Title in Russian"),
    "text_ru": _l("Text in Russian"),
    "source": _l("Source"),
    "law": _l("Law"),
    "law_number": _l("Number of the law"),
    "law_on": _l("Date of the law"),
    "expires_on": _l("Holds until"),
    "files": _l("Files"),
}
TROUBLES: dict[str, LazyString] = {
    "title": _l("Write a title in Uzbek or in Russian."),
    "languages": _l("The ministry needs title and text in Uzbek and in Russian."),
    "section": _l("Choose a section."),
    "topic": _l("This direction is not on the list any more."),
    "owner": _l("Choose an owner from the list."),
    "day": _l("Write the day as dd.mm.yyyy."),
    "moment": _l("Write the day as dd.mm.yyyy and the time as hh:mm."),
    "past": _l("This moment is past. Leave it empty for now."),
    "words": _l("Write the text first."),
    "pending": _l("There is a version to come already."),
    "changed": _l("Somebody was faster: look at what was done, then decide anew."),
    "action": _l("This cannot be done so."),
    "file": _l("A file is empty or larger than 5 MB. No file was added; choose them again."),
    "kind": _l("Only whole PDF, DOCX, PNG and JPEG files. No file was added; choose them again."),
    "macro": _l("A file holds macros or scripts. No file was added; save it without them."),
    "bomb": _l("A file unpacks to far too much. No file was added; choose them again."),
    "many": _l("An article shows at most ten files. No file was added."),
}


def law(version: "ArticleVersion") -> str:
    """The law that an article stands on, with number and date; "" without one."""
    if not version.law and not version.law_number:
        return ""
    law, number = (
        wording.respelt(version, text, locale()) for text in (version.law, version.law_number)
    )
    number = _("no. %(number)s", number=number) if number else ""
    day = _("of %(day)s", day=formats.date(version.law_on)) if version.law_on else ""
    return ", ".join(filter(None, (law, " ".join(filter(None, (number, day))))))
