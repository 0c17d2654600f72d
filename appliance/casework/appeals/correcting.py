"""Correcting the form of a registered appeal; the previous values are stored."""

import datetime as dt
from typing import Any

from appliance.casework import applicants, forms
from appliance.casework.appeals import consultations, form, handling, searching
from appliance.casework.appeals.prefill import form_values
from appliance.casework.forms.drafts import CONSULTATION_FIELDS
from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.models import Appeal, AppealWording


def correct_appeal(
    appeal: Appeal,
    values: dict[str, str],
    actor: str,
    expected_version: int,
    calendar: WorkingCalendar,
) -> dict[str, list[str]]:
    """Replace the values of an appeal's form; returns [before, now] of each changed field.

    Like registering, it accepts any values. If they are all the same as before, the appeal is left
    unchanged, but one that was returned for rework still goes back to the ministry. Raises Refused
    with the code "changed" if the version of the appeal's handling is not `expected_version`.
    """
    corrected_at = clock.now()
    with write_transaction():
        previous_values = values_with_consultation(appeal)
        today = corrected_at.astimezone(calendar.tz).date()
        corrected = _store_form(
            appeal, form.stored_columns(form.read_form(values, today, appeal.form_version))
        )
        definition = form.form_definition(appeal.form_version)
        changes = forms.value_differences(
            definition,
            previous_values,
            values_with_consultation(corrected),
            *CONSULTATION_FIELDS,
        )
        was_returned = handling.current_state(appeal) == "returned"
        if changes or was_returned:
            handling.record_correction(corrected, actor, expected_version, changes)
        if changes:
            forms.store_counted_values(definition, corrected)
            _store_previous_values(appeal, previous_values, corrected_at, actor)
            searching.index_appeal(corrected, searching.searchable_text(appeal))
            consultations.update_after_correction(corrected)
    return changes


def _store_form(appeal: Appeal, columns: dict[str, Any]) -> Appeal:
    """Store the columns of a corrected form, and return the corrected appeal.

    The column `typed` keeps the texts, as they were typed, of values that have not changed.
    """
    unchanged = {
        name: text for name, text in appeal.typed.items() if columns[name] == getattr(appeal, name)
    }
    columns["typed"] = unchanged | columns["typed"]
    Appeal.update(columns).where(Appeal.id == appeal.id).execute()
    corrected: Appeal = Appeal.get_by_id(appeal.id)
    if corrected.applicant_id != appeal.applicant_id:
        applicants.refresh_from_appeals(appeal.applicant_id)
    return corrected


def _store_previous_values(
    appeal: Appeal, values: dict[str, str], until: dt.datetime, replaced_by: str
) -> None:
    """Store the values that an appeal's form had until a correction by the login `replaced_by`."""
    number = AppealWording.select().where(AppealWording.appeal == appeal).count() + 1
    AppealWording.create(
        appeal=appeal, number=number, values=values, until=until, replaced_by=replaced_by
    )


def list_previous_values(appeal: Appeal) -> list[AppealWording]:
    """Return a row for each correction of an appeal's form, oldest first.

    A row holds the values before the correction, its time (`until`) and who made it. The list is
    empty if the appeal was never corrected.
    """
    return list(
        AppealWording.select().where(AppealWording.appeal == appeal).order_by(AppealWording.number)
    )


def values_with_consultation(appeal: Appeal) -> dict[str, str]:
    """Return an appeal as the values of its form and, if one is requested, of its consultation."""
    values = form_values(appeal)
    if appeal.consultation:
        values["consultation"] = "1"
        values |= {
            name: getattr(appeal, name) for name in CONSULTATION_FIELDS[1:] if getattr(appeal, name)
        }
    return values
