"""Registering an appeal: the next number, the form as it stands, the call it hangs on."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from appliance.casework import applicants, call_forms, catalogs, forms, numbers
from appliance.casework.appeals import consultations, form, handling
from appliance.casework.forms.drafts import call_of, draft, not_of
from appliance.casework.forms.versions import APPEAL
from appliance.core import audit, clock, live
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
from appliance.core.statements import new_row, row_with
from appliance.models import Appeal, NumberSeries, User

# When a site's hours are not told, the day of registering is counted by these.
_OPENS, _CLOSES = dt.time(9), dt.time(18)


def register(
    values: dict[str, str],
    *,
    operator: User,
    token: str,
    tz: ZoneInfo,
    calendar: WorkingCalendar | None = None,
    tell: Callable[[Appeal], object] | None = None,
) -> Appeal:
    """Register what the form holds, whatever it lacks, and return the numbered appeal.

    `token` is the form's name (drafts.token_for), which tells the call; sent twice, it registers
    once and the same appeal comes back. Numbers have no gap within a year of the site's time.
    It has its department and its deadline, by the working `calendar`, at once.
    `tell` is called with a new appeal, in its transaction, to put what others are told of it.
    The appeal counts as received when its call arrived (law OʻRQ-445, article 23).
    """
    moment = clock.now()
    today = moment.astimezone(tz).date()
    call = call_of(operator, token)
    with writing():
        if known := row_with(Appeal, token=token, operator=operator.id):
            return known
        reading = form.read(values, today)
        columns = reading.columns
        if reading.mahalla_text:
            district = columns["district"]
            columns["mahalla"] = catalogs.remember_mahalla(
                reading.mahalla_text, district and district.soato
            )
        appeal = new_row(
            Appeal,
            number=numbers.next_number(NumberSeries, today.year),
            token=token,
            call_id=call and call.id,
            applicant=applicants.recognise(columns),
            operator=operator,
            received_at=call.arrived_at if call else moment,
            registered_at=moment,
            warnings=[str(doubt) for doubt in reading.doubts],
            **columns,
        )
        forms.store_counted(forms.of(APPEAL, appeal.form_version), appeal)
        handling.begin(appeal, calendar or WorkingCalendar(tz, _OPENS, _CLOSES, {}))
        consultations.begin(appeal)
        kept = draft(operator, token)
        call_forms.of_appeal(appeal, (not_of(APPEAL, kept.values) if kept else {}) | values, tz)
        if kept:
            kept.delete_instance()
        audit.record(operator.login, "appeal.register", appeal.number, call=appeal.call_id)
        if tell:
            tell(appeal)
        live.publish("appeals", f"operator:{operator.login}")
    return appeal
