"""What is known of somebody who called before, as values for a new form."""

from appliance.casework.appeals import form
from appliance.models import Appeal, Applicant

# What a person is asked anew in every call.
_ASKED_ANEW = frozenset(
    ("appeal_type", "call_type", "openness", "direction", "gist", "phone", "phone_at_hand")
)


def known_values(applicant: Applicant) -> dict[str, str]:
    """The form's values from the applicant's newest appeal; lists by their codes."""
    newest = applicant.appeals.order_by(Appeal.id.desc()).first()
    if not newest:
        return {}
    values = values_of(newest)
    return {name: text for name, text in values.items() if name not in _ASKED_ANEW}


def values_of(appeal: Appeal) -> dict[str, str]:
    """A registered appeal as the values of its form; empty fields are left out."""
    values = {name: getattr(appeal, name, None) for name in form.FIELDS}
    values |= {
        "region": appeal.region_id,
        "district": appeal.district_id,
        "mahalla": appeal.mahalla_id,
        "region_text": appeal.region_text,
        "district_text": appeal.district_text,
        "born": f"{appeal.born_on:%d.%m.%Y}" if appeal.born_on else appeal.born_text,
    }
    return {name: str(value) for name, value in values.items() if value}
