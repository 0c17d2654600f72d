"""Additions of a citizen to an open appeal, instead of another appeal about the same matter.

Nothing is rejected: possible duplicates are shown, and the operator decides.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from peewee import fn

from appliance.casework import applicants, call_forms, forms
from appliance.casework.appeals import form, handling, queries
from appliance.casework.forms import drafts
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.models import Appeal, AppealStep, Applicant, CallForm, Draft, User


@dataclass(frozen=True)
class ApplicantMatch:
    """The applicant that a form describes, and open appeals that may be about the same matter.

    `person` is the stored applicant that matches, if any; it may be a legal entity, too.
    """

    person: Applicant | None
    similar_appeals: list[Appeal]

    @property
    def fingerprint(self) -> str:
        """A text by which a page recognises that another applicant or other appeals are found."""
        numbers = [appeal.number for appeal in self.similar_appeals]
        return " ".join([str(self.person.id if self.person else ""), *numbers])


def match_applicant(
    values: dict[str, str], phone: str | None, today: dt.date, user: User
) -> ApplicantMatch:
    """Return the applicant that the typed values describe, and their similar open appeals.

    `values` are those of an appeal form, `phone` is the calling number. An applicant is returned
    only if the user may read one of their appeals. A personal appeal that the user may not read is
    found by the calling number only, not by typed values.
    """
    columns = form.read_form(values, today).columns
    person = applicants.likely_applicant(columns)
    if person and not queries.appeals_of_applicant(person, user, limit=1):
        person = None
    similar_appeals = queries.similar_open_appeals(
        user, columns["direction"], phone, applicant=person, phone=columns["phone"]
    )
    return ApplicantMatch(person, similar_appeals)


def add_to_appeal(
    appeal: Appeal,
    values: dict[str, str],
    *,
    operator: User,
    token: str,
    tz: ZoneInfo,
) -> CallForm | None:
    """Add a form's values to an open appeal; returns the call form (№2) of the form's call, if any.

    The addition is a step of the appeal: the gist is its text, and other values that differ from
    the appeal are in its details. A form (`token`) that is sent twice is added once. Raises Refused
    "words" if the gist is missing, "state" if the appeal is no longer open.
    """
    call = drafts.call_of_token(operator, token)
    # loaded again with all its contents, which a user who may not read it does not see
    appeal = Appeal.get_by_id(appeal.id)
    with write_transaction():
        additions = AppealStep.select().where(
            AppealStep.appeal == appeal, AppealStep.action == "add"
        )
        if any(step.detail.get("form") == token for step in additions):
            return call_forms.form_of_operator(operator, call) if call else None
        saved_draft = drafts.find_draft(operator, token)
        # with the values typed in the other form, which the page does not send
        all_values = (
            drafts.values_of_other_form(saved_draft.form, saved_draft.values) if saved_draft else {}
        ) | values
        today = clock.now().astimezone(tz).date()
        detail = {"form": token, "changes": _differing_values(appeal, all_values, today)}
        if call:
            detail["call"] = call.id
        handling.record_addition(appeal, all_values.get("gist", ""), operator.login, detail)
        call_form = call and call_forms.register_with_addition(
            appeal, all_values, operator, call, token, tz
        )
        Draft.delete().where(Draft.operator == operator, Draft.token == token).execute()
        audit.record_entry(operator.login, "draft.add", token, appeal=appeal.number)
        live.publish_topics("calls", f"operator:{operator.login}")
    return call_form or None


def appeal_ids_with_new_additions(appeals: Sequence[Appeal]) -> set[int]:
    """Return the ids of those appeals whose latest step is an addition."""
    newest = (
        AppealStep.select(fn.MAX(AppealStep.id))
        .where(AppealStep.appeal.in_([appeal.id for appeal in appeals]))
        .group_by(AppealStep.appeal)
    )
    added = AppealStep.select(AppealStep.appeal).where(
        AppealStep.id.in_(newest), AppealStep.action == "add"
    )
    return {appeal_id for (appeal_id,) in added.tuples()}


def _differing_values(
    appeal: Appeal, values: dict[str, str], today: dt.date
) -> dict[str, list[str]]:
    """Return [value in the appeal, value in the form] of typed values that differ, by field.

    The gist is left out, because it is the text of the addition.
    """
    definition = form.form_definition(appeal.form_version)
    columns, typed = (
        forms.read_values(definition, values, today).columns,
        forms.cleaned_values(definition, values),
    )
    # the text of a field that has a code is left out: the code is compared
    text_names = {f"{name}_text" for name in typed if typed.get(name)}
    equal_names = {
        name for name in typed if name in columns and columns[name] == getattr(appeal, name, None)
    }
    differences = forms.value_differences(
        definition, forms.registered_values(definition, appeal), typed
    )
    excluded = text_names | equal_names | {"gist"}
    return {name: pair for name, pair in differences.items() if pair[1] and name not in excluded}
