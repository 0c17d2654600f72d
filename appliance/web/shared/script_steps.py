"""A step of a call script as the operator sees it: text, answers, fields and actions."""

from collections.abc import Collection, Mapping
from typing import Any

from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from appliance.casework import departments, forms
from appliance.casework.knowledge import listing
from appliance.casework.scripts import texts
from appliance.casework.scripts.definition import (
    ACTIONS,
    ARTICLE,
    DEPARTMENT,
    EMPLOYEE,
    RUSSIAN,
    SMS,
    SPECIALIST,
    UZBEK,
    Definition,
    Step,
)
from appliance.core.i18n import localized_name
from appliance.messaging.notices import templates
from appliance.telephony import directory
from appliance.web.shell.language import locale

LANGUAGE_NAMES: dict[str, LazyString] = {UZBEK: _l("Uzbek"), RUSSIAN: _l("Russian")}
ACTION_LABELS: dict[str, LazyString] = {kind: lazy_gettext(name) for kind, name in ACTIONS.items()}
PLACEHOLDER_LABELS: dict[str, LazyString] = {
    w: lazy_gettext(name) for w, name in texts.PLACEHOLDERS.items()
}


def step_context(
    script: Definition, step: Step, language: str, values: Mapping[str, str]
) -> dict[str, Any]:
    """Return the context of operator/scriptstep.html, which shows a step of a script.

    `language` (UZBEK or RUSSIAN) is the one that the operator speaks with the caller; a text that
    does not exist in it is shown in the other. `values` are the known values of the placeholders in
    the text. `made` is True if the text is transliterated; `readable` are the slugs of the articles
    in force; `place` is the number of the step in the script.
    """
    text_language = texts.available_language(step.said, language) or language
    slugs = step.articles
    field_labels, action_labels = field_names(), action_names(slugs)
    return {
        "step": step,
        "parts": texts.localized_segments(step.said, language, locale(), values),
        "called": PLACEHOLDER_LABELS,
        "step_name": texts.localized_text(step.name, locale()),
        "made": texts.is_transliterated(text_language, locale()),
        "note": texts.localized_text(step.note, locale()),
        "fields": [(name, field_labels.get(name, name)) for name in step.fields],
        "actions": [
            (item.kind, item.ref, action_labels.get(item.kind, {}).get(item.ref, item.ref))
            for item in step.actions
        ],
        "readable": {
            s for s, item in listing.article_titles(locale(), slugs).items() if item.in_force
        },
        "answers": [texts.plain_text(item.words, language, locale()) for item in step.answers],
        "place": script.step_number(step.code),
        "steps_in_all": len(script.steps),
    }


def action_names(slugs: Collection[str] | None = None) -> dict[str, dict[str, str]]:
    """Return the names of the objects to which actions of a script can refer.

    The keys are the kind of the action and the `ref` of the object: an article's slug, a
    department's code or an id. If `slugs` is given, only the articles with these slugs are
    included.
    """
    return {
        ARTICLE: article_titles(slugs),
        DEPARTMENT: {
            row.code: localized_name(row, locale()) for row in departments.list_departments()
        },
        EMPLOYEE: {str(row.id): _employee_label(row) for row in directory.list_employees()},
        SMS: {str(row.id): row.name for row in templates.list_templates()},
        SPECIALIST: {"": str(ACTION_LABELS[SPECIALIST])},
    }


def article_titles(slugs: Collection[str] | None = None) -> dict[str, str]:
    """Return the titles of articles by slug; if an article is not in force, its title says so.

    If `slugs` is given, only the articles with these slugs are included.
    """
    return {
        slug: article.title
        if article.in_force
        else _("%(title)s (not in force)", title=article.title)
        for slug, article in listing.article_titles(locale(), slugs).items()
    }


def field_names() -> dict[str, str]:
    """Return the labels of the fields of both forms in force, by field name.

    A field that both forms have gets the label of the first of forms.FORMS.
    """
    return {
        field.name: field.localized_label(locale())
        for form in reversed(forms.FORMS)
        for field in forms.definition_in_force(form).fields
    }


def _employee_label(employee: object) -> str:
    """Return an employee's name, with the department if there is one."""
    name, department = getattr(employee, "name", ""), getattr(employee, "department", "")
    return f"{name}, {department}" if department else str(name)
