"""Applicants: the people and legal entities who call, recognised by their earlier appeals."""

from typing import Any

from appliance.casework import identity
from appliance.core import clock
from appliance.core.i18n import fold_text
from appliance.core.statements import PreparedQuery, create_row, query_parameter
from appliance.models import Appeal, Applicant, personal_columns

_APPLICANT_COLUMNS = tuple(
    name for name in personal_columns.column_names(Applicant) if name != "search_key"
)

_APPLICANTS_WITH_PHONE = PreparedQuery(
    lambda: (
        Applicant.select()
        .where(Applicant.phone == query_parameter("phone"))
        .order_by(Applicant.id.desc())
        .limit(5)
    )
)


def update_or_create(columns: dict[str, Any]) -> Applicant:
    """Update or create the applicant whom an appeal's columns describe, and return the row.

    `columns` are the values of an appeal's form by column of models.Appeal. An existing applicant
    is found by matching_applicant(). Values that are empty in `columns` stay as they are stored.
    Call it in a write transaction.
    """
    facts = {name: columns[name] for name in _APPLICANT_COLUMNS if columns.get(name)}
    facts["kind"] = columns["applicant_kind"]
    applicant = matching_applicant(columns)
    if not applicant:
        return create_row(
            Applicant, **facts, search_key=_search_key(columns), created_at=clock.now()
        )
    if _search_key(columns):
        facts["search_key"] = _search_key(columns)
    Applicant.update(facts).where(Applicant.id == applicant.id).execute()
    updated: Applicant = Applicant.get_by_id(applicant.id)
    return updated


def refresh_from_appeals(applicant_id: int) -> None:
    """Reset an applicant's data to what their appeals hold. Call it in a write transaction.

    This is needed after one of their appeals was masked (its personal data were removed) or got
    another applicant by a correction. An applicant without appeals is deleted.
    """
    appeals = list(Appeal.select().where(Appeal.applicant == applicant_id).order_by(Appeal.id))
    if not appeals:
        Applicant.delete().where(Applicant.id == applicant_id).execute()
        return
    facts = personal_columns.masked_values(Applicant)
    for appeal in appeals:
        if personal_columns.identifies_person(appeal):  # otherwise the appeal was masked
            columns = {
                name: getattr(appeal, name) for name in (*_APPLICANT_COLUMNS, "applicant_kind")
            }
            # values of later appeals replace those of earlier ones
            facts |= {name: columns[name] for name in _APPLICANT_COLUMNS if columns[name]}
            facts["search_key"] = _search_key(columns) or facts["search_key"]
    Applicant.update(facts).where(Applicant.id == applicant_id).execute()


def matching_applicant(columns: dict[str, Any]) -> Applicant | None:
    """Return the stored applicant, if any, with this PINFL (or STIR), or else this phone and name.

    `columns` are the values of a form by column of models.Appeal. An invalid PINFL matches nobody,
    because a typing error must not merge two people.
    """
    candidates = Applicant.select().where(Applicant.kind == columns["applicant_kind"])
    if columns["applicant_kind"] == "entity":
        document_matches = identity.normalise_stir(columns["stir"]) and (
            Applicant.stir == columns["stir"]
        )
    else:
        document_matches = identity.parse_pinfl(columns["pinfl"]) and (
            Applicant.pinfl == columns["pinfl"]
        )
    applicant: Applicant | None
    if document_matches:
        applicant = candidates.where(document_matches).order_by(Applicant.id).first()
        if applicant:
            return applicant
    if not (columns["phone"] and _search_key(columns)):
        return None
    by_phone = candidates.where(
        Applicant.phone == columns["phone"], Applicant.search_key == _search_key(columns)
    )
    if document_matches:  # same name and phone but a different document number: another person
        document_column = (
            Applicant.stir if columns["applicant_kind"] == "entity" else Applicant.pinfl
        )
        by_phone = by_phone.where(document_column == "")
    applicant = by_phone.order_by(Applicant.id).first()
    return applicant


def likely_applicant(columns: dict[str, Any]) -> Applicant | None:
    """Return the stored applicant that a form describes, by matching_applicant(), else by passport.

    The passport number must be complete. The result may only be shown, not updated, because a
    passport number alone must not merge two applicants. Returns None if no applicant matches.
    """
    if applicant := matching_applicant(columns):
        return applicant
    passport = columns["passport"] if columns["applicant_kind"] == "person" else ""
    if not identity.normalise_passport(passport):
        return None
    by_passport = Applicant.select().where(Applicant.passport == passport)
    oldest: Applicant | None = by_passport.order_by(Applicant.id).first()
    return oldest


def find_by_phone(phone: str | None) -> list[Applicant]:
    """Return the applicants, at most five, with the phone `phone` (normalised), newest first."""
    if not phone:
        return []
    return _APPLICANTS_WITH_PHONE.fetch_objects(phone=phone)


def display_name(applicant: Any) -> str:
    """Return the name of an applicant or an appeal: the entity's, or first name and surname."""
    return applicant.entity_name or f"{applicant.first_name} {applicant.surname}".strip()


def _search_key(columns: dict[str, Any]) -> str:
    """Return the applicant's name in the form in which names are compared; "" without a name."""
    if columns["applicant_kind"] == "entity":
        return fold_text(columns["entity_name"])
    return fold_text(f"{columns['surname']} {columns['first_name']}")
