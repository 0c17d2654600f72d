"""What is known of somebody who called before, as values for a new form."""

from appliance.casework import forms
from appliance.casework.appeals import form, personal
from appliance.models import Appeal, Applicant, User


def known_values(applicant: Applicant, user: User) -> dict[str, str]:
    """The form's values from the applicant's newest appeal that a user reads; lists by codes."""
    read = applicant.appeals.where(personal.readable(user))
    newest = read.order_by(Appeal.id.desc()).first()
    if not newest:
        return {}
    values = values_of(newest)
    anew = {name for field in form.definition().fields if field.anew for name in field.names}
    return {name: text for name, text in values.items() if name not in anew}


def values_of(appeal: Appeal) -> dict[str, str]:
    """A registered appeal as the values of its form; empty fields are left out."""
    return forms.values_of(form.definition(appeal.form_version), appeal)
