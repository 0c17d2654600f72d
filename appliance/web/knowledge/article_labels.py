"""Labels for the state of an article, its fields and steps, and the refusals of its form."""

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

# By state of a version: its name, the badge's kind, the icon.
STANDINGS: dict[str, tuple[LazyString, str, str]] = {
    status.code: (lazy_gettext(status.name), status.tone, status.icon)
    for status in versions.WORKFLOW.states
}
# By action of versions.WORKFLOW: the text of its button, the button's icon.
BUTTONS: dict[str, tuple[LazyString, str]] = {
    "send": (_l("Send to the ministry"), "send"),
    "take_back": (_l("Bring back"), "undo-2"),
    "approve": (_l("Approve"), "check"),
    "return": (_l("Return with a comment"), "undo-2"),
    "put": (_l("Put in force"), "circle-check"),
    "withdraw": (_l("Do not put in force"), "undo-2"),
    "retire": (_l("Take out of force"), "archive"),
}
STEP_MESSAGES: dict[str, LazyString] = {
    "send": _l("Sent to the ministry."),
    "take_back": _l("Withdrawn: it can be edited again."),
    "approve": _l("Approved."),
    "return": _l("Returned to the manager."),
    "put": _l("It is in force, or will be at the chosen time."),
    "withdraw": _l("It will not be put in force."),
    "retire": _l("It is no longer in force."),
}
TROUBLES: dict[str, LazyString] = {
    "title": _l("Enter a title in Uzbek or in Russian."),
    "languages": _l("The ministry needs title and text in Uzbek and in Russian."),
    "section": _l("Choose a section."),
    "topic": _l("This direction is no longer on the list."),
    "owner": _l("Choose an owner from the list."),
    "day": _l("Enter the day as dd.mm.yyyy."),
    "moment": _l("Enter the day as dd.mm.yyyy and the time as hh:mm."),
    "past": _l("This time is past. Leave it empty to put it in force now."),
    "words": _l("Write the text first."),
    "pending": _l("There is already an upcoming version."),
    "changed": _l("Another user was faster: look at what was done, then decide again."),
    "action": _l("This is not possible."),
    "file": _l("A file is empty or larger than 5 MB. No file was added; choose them again."),
    "kind": _l(
        "Only intact PDF, DOCX, PNG and JPEG files. No file was added; choose the files again."
    ),
    "macro": _l("A file contains macros or scripts. No file was added; save it without them."),
    "bomb": _l("A file is far too large when unpacked. No file was added; choose the files again."),
    "many": _l("An article has at most ten files. No file was added."),
}


def law_reference(version: "ArticleVersion") -> str:
    """Return the law on which an article is based, with its number and date, if they are stated.

    Returns "" if neither the law nor its number is stated.
    """
    if not version.law and not version.law_number:
        return ""
    law_name, number = (
        wording.transliterate_text(version, text, locale())
        for text in (version.law, version.law_number)
    )
    number = _("no. %(number)s", number=number) if number else ""
    date_text = _("of %(day)s", day=formats.date(version.law_on)) if version.law_on else ""
    return ", ".join(filter(None, (law_name, " ".join(filter(None, (number, date_text))))))
