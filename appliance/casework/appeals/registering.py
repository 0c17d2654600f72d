"""Registering an appeal: the next number, the form's values, the call it belongs to."""

import datetime as dt
from zoneinfo import ZoneInfo

from appliance.casework import call_forms, forms, hooks, numbers
from appliance.casework.appeals import consultations, form, handling
from appliance.casework.forms import APPEAL_FORM
from appliance.casework.forms.drafts import call_of_token, find_draft, values_of_other_form
from appliance.core import audit, clock, live
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.core.statements import create_row, find_row
from appliance.models import Appeal, NumberSeries, User

# The working hours that decide the day of registration if no calendar is given.
_OPENS, _CLOSES = dt.time(9), dt.time(18)


def register(
    values: dict[str, str],
    *,
    operator: User,
    token: str,
    tz: ZoneInfo,
    calendar: WorkingCalendar | None = None,
) -> Appeal:
    """Register the form's values, even if incomplete, and return the numbered appeal.

    `token` identifies the form (drafts.token_for) and its call; a form that is sent twice is
    registered once, and the same appeal is returned. Numbers have no gap within a year of the
    site's time. The appeal gets its department, and its deadline by the working `calendar`, by
    default one without holidays. The messages about it are queued in the same transaction. The
    appeal counts as received when its call arrived (law OʻRQ-445, article 23).
    """
    registered_at = clock.now()
    today = registered_at.astimezone(tz).date()
    call = call_of_token(operator, token)
    with write_transaction():
        if registered := find_row(Appeal, token=token, operator=operator.id):
            return registered
        appeal = create_row(
            Appeal,
            number=numbers.next_number(NumberSeries, today.year),
            token=token,
            call_id=call and call.id,
            operator=operator,
            received_at=call.arrived_at if call else registered_at,
            registered_at=registered_at,
            **form.stored_columns(form.read_form(values, today)),
        )
        forms.store_counted_values(
            forms.numbered_definition(APPEAL_FORM, appeal.form_version), appeal
        )
        handling.start_handling(appeal, calendar or WorkingCalendar(tz, _OPENS, _CLOSES, {}))
        consultations.start_consultation(appeal)
        saved_draft = find_draft(operator, token)
        call_forms.register_with_appeal(
            appeal,
            (values_of_other_form(APPEAL_FORM, saved_draft.values) if saved_draft else {}) | values,
            tz,
        )
        if saved_draft:
            saved_draft.delete_instance()
        audit.record_entry(operator.login, "appeal.register", appeal.number, call=appeal.call_id)
        hooks.appeal_registered.run(appeal)
        live.publish_topics("appeals", f"operator:{operator.login}")
    return appeal
