"""Values for a new form from the earlier appeals of the same applicant."""

from appliance.casework import forms
from appliance.casework.appeals import form, personal
from appliance.models import Appeal, Applicant, User


def prefill_values(applicant: Applicant, user: User) -> dict[str, str]:
    """Return form values from the applicant's newest appeal that the user may read.

    Fields that are asked in every call are left out. Returns {} if there is no such appeal.
    """
    appeals = applicant.appeals.where(personal.readable_condition(user))
    newest = appeals.order_by(Appeal.id.desc()).first()
    if not newest:
        return {}
    values = form_values(newest)
    fresh_names = {
        name for field in form.form_definition().fields if field.anew for name in field.value_names
    }
    return {name: text for name, text in values.items() if name not in fresh_names}


def form_values(appeal: Appeal) -> dict[str, str]:
    """Return a registered appeal as the values of its form, by the version it was registered in.

    Empty fields are left out.
    """
    return forms.registered_values(form.form_definition(appeal.form_version), appeal)
