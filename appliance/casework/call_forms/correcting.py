"""Correcting the call form (№2) of a registered call; the previous values are stored."""

from appliance.casework import forms
from appliance.casework.call_forms.queries import call_form_values, form_search_key
from appliance.core import audit, clock, live
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.models import CallForm, CallFormWording


def correct_call_form(
    form: CallForm, values: dict[str, str], actor: str, calendar: WorkingCalendar
) -> dict[str, list[str]]:
    """Replace the values of a call form; returns [before, now] of each changed field.

    The values are read by the version of the form in which the call was registered. Nothing is
    rejected. `actor` is a login; `calendar` has the site's time zone.
    """
    corrected_at = clock.now()
    definition = forms.numbered_definition(forms.CALL_FORM, form.version)
    with write_transaction():
        previous_values = call_form_values(form)
        reading = forms.read_values(definition, values, corrected_at.astimezone(calendar.tz).date())
        # the texts as typed (before their spelling was corrected) of values that stay the same
        typed = {
            name: text
            for name, text in form.typed.items()
            if reading.columns[name] == getattr(form, name)
        }
        reading.columns["typed"] = typed | reading.columns["typed"]
        doubts = [str(doubt) for doubt in reading.doubts]
        columns = reading.columns | {
            "warnings": doubts,
            "search_key": form_search_key(definition, reading.columns),
        }
        CallForm.update(columns).where(CallForm.id == form.id).execute()
        corrected = CallForm.get_by_id(form.id)
        changes = forms.value_differences(definition, previous_values, call_form_values(corrected))
        if changes:
            forms.store_counted_values(definition, corrected)
            CallFormWording.create(
                call_form=form,
                number=len(list_previous_form_values(form)) + 1,
                values=previous_values,
                until=corrected_at,
                replaced_by=actor,
            )
            audit.record_entry(actor, "call_form.correct", form.number, fields=sorted(changes))
            live.publish_topics("calls")
    return changes


def list_previous_form_values(form: CallForm) -> list[CallFormWording]:
    """Return a row for each correction of a call form, oldest first.

    A row holds the values before the correction, its time (`until`) and who made it. The list is
    empty if the form was never corrected.
    """
    return list(
        CallFormWording.select()
        .where(CallFormWording.call_form == form)
        .order_by(CallFormWording.number)
    )
