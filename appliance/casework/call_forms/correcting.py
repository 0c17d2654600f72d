"""Correcting a registered call's form №2; how it stood before is kept."""

from appliance.casework import forms
from appliance.casework.call_forms.queries import key_of, values_of
from appliance.core import audit, clock, live
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
from appliance.models import CallForm, CallFormWording


def correct(
    form: CallForm, values: dict[str, str], by: str, calendar: WorkingCalendar
) -> dict[str, list[str]]:
    """Put a corrected form in place of the one in force; returns field → [before, now].

    It is read in the version in which it was registered. Nothing refuses it.
    """
    moment = clock.now()
    definition = forms.of(forms.CALL, form.version)
    with writing():
        before = values_of(form)
        reading = forms.read(definition, values, moment.astimezone(calendar.tz).date())
        typed = {n: t for n, t in form.typed.items() if reading.columns[n] == getattr(form, n)}
        reading.columns["typed"] = typed | reading.columns["typed"]
        doubts = [str(doubt) for doubt in reading.doubts]
        columns = reading.columns | {
            "warnings": doubts,
            "search_key": key_of(definition, reading.columns),
        }
        CallForm.update(columns).where(CallForm.id == form.id).execute()
        corrected = CallForm.get_by_id(form.id)
        changes = forms.differences(definition, before, values_of(corrected))
        if changes:
            forms.store_counted(definition, corrected)
            CallFormWording.create(
                call_form=form,
                number=len(wordings(form)) + 1,
                values=before,
                until=moment,
                replaced_by=by,
            )
            audit.record(by, "call_form.correct", form.number, fields=sorted(changes))
            live.publish("calls")
    return changes


def wordings(form: CallForm) -> list[CallFormWording]:
    """The form as it stood before each correction, oldest first."""
    return list(
        CallFormWording.select()
        .where(CallFormWording.call_form == form)
        .order_by(CallFormWording.number)
    )
