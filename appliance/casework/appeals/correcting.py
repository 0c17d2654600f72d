"""Correcting the form of a registered appeal; how it stood before is kept."""

from collections.abc import Callable

from appliance.casework import applicants, catalogs, forms
from appliance.casework.appeals import consultations, form, handling, searching
from appliance.casework.appeals.prefill import values_of
from appliance.core import clock
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
from appliance.models import Appeal, AppealWording


def correct(
    appeal: Appeal,
    values: dict[str, str],
    by: str,
    version: int,
    calendar: WorkingCalendar,
    changed: Callable[[Appeal], object] | None = None,
) -> dict[str, list[str]]:
    """Put a corrected form in place of the one in force; returns field → [before, now].

    Nothing refuses it, as registering does not. A returned appeal goes back to the ministry even
    when nothing was changed; any other one is left alone then. `changed` is called with the
    corrected appeal, in its transaction. Raises handling.HandlingError.
    """
    moment = clock.now()
    with writing():
        before = whole_values(appeal)
        today = moment.astimezone(calendar.tz).date()
        reading = form.read(values, today, appeal.form_version)
        columns = reading.columns
        if reading.mahalla_text:
            district = columns["district"]
            columns["mahalla"] = catalogs.remember_mahalla(
                reading.mahalla_text, district and district.soato
            )
        unchanged = {n: t for n, t in appeal.typed.items() if columns[n] == getattr(appeal, n)}
        columns["typed"] = unchanged | columns["typed"]
        columns |= {
            "warnings": [str(doubt) for doubt in reading.doubts],
            "applicant": applicants.recognise(columns),
        }
        Appeal.update(columns).where(Appeal.id == appeal.id).execute()
        corrected = Appeal.get_by_id(appeal.id)
        if corrected.applicant_id != appeal.applicant_id:
            applicants.refresh(appeal.applicant_id)
        definition = form.definition(appeal.form_version)
        changes = forms.differences(definition, before, whole_values(corrected), *form.CONSULTATION)
        returned = handling.state_of(appeal) == "returned"
        if changes or returned:
            handling.correct(corrected, by, version, changes)
        if changes:
            forms.store_counted(definition, corrected)
            AppealWording.create(
                appeal=appeal,
                number=AppealWording.select().where(AppealWording.appeal == appeal).count() + 1,
                values=before,
                until=moment,
                replaced_by=by,
            )
            searching.remember(corrected, searching.words_of(appeal))
            consultations.corrected(corrected)
        if changed and (changes or returned):
            changed(corrected)
    return changes


def wordings(appeal: Appeal) -> list[AppealWording]:
    """The form as it stood before each correction, oldest first."""
    return list(
        AppealWording.select().where(AppealWording.appeal == appeal).order_by(AppealWording.number)
    )


def whole_values(appeal: Appeal) -> dict[str, str]:
    """An appeal as the values of its form, with the consultation that was asked for."""
    values = values_of(appeal)
    if appeal.consultation:
        values["consultation"] = "1"
        values |= {n: getattr(appeal, n) for n in form.CONSULTATION[1:] if getattr(appeal, n)}
    return values
