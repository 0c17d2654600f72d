"""People and legal entities who call: recognised again, kept as last heard."""

from typing import Any

from appliance.casework import identity
from appliance.core import clock
from appliance.core.i18n import fold
from appliance.core.statements import Question, new_row, value
from appliance.models import Appeal, Applicant, personal_columns
from appliance.models.personal_columns import IDENTIFYING

_KEPT = tuple(name for name in personal_columns.names(Applicant) if name != "search_key")

_WITH_PHONE = Question(
    lambda: (
        Applicant.select()
        .where(Applicant.phone == value("phone"))
        .order_by(Applicant.id.desc())
        .limit(5)
    )
)


def recognise(columns: dict[str, Any]) -> Applicant:
    """The applicant that an appeal's columns tell of, brought up to date or made anew.

    What was not told this time stays as it was heard before.
    """
    facts = {name: columns[name] for name in _KEPT if columns.get(name)}
    facts["kind"] = columns["applicant_kind"]
    known = match(columns)
    if not known:
        return new_row(Applicant, **facts, search_key=_key(columns), created_at=clock.now())
    if _key(columns):
        facts["search_key"] = _key(columns)
    Applicant.update(facts).where(Applicant.id == known.id).execute()
    return Applicant.get_by_id(known.id)


def refresh(id: int) -> None:
    """Let an applicant hold what their appeals hold, and no more; in a write transaction.

    Call it when one of them was masked or is somebody else's since. An applicant without appeals is
    removed: a correction left it behind.
    """
    appeals = list(Appeal.select().where(Appeal.applicant == id).order_by(Appeal.id))
    if not appeals:
        Applicant.delete().where(Applicant.id == id).execute()
        return
    facts = personal_columns.blanks(Applicant)
    for appeal in appeals:
        if any(personal_columns.values(Appeal, appeal, *IDENTIFYING)):  # else it was masked
            columns = {name: getattr(appeal, name) for name in (*_KEPT, "applicant_kind")}
            facts |= {name: columns[name] for name in _KEPT if columns[name]}
            facts["search_key"] = _key(columns) or facts["search_key"]
    Applicant.update(facts).where(Applicant.id == id).execute()


def match(columns: dict[str, Any]) -> Applicant | None:
    """The known applicant with this PINFL (or STIR), else with this phone and name.

    A PINFL that cannot be right joins nobody: a slip must not merge two people.
    """
    same_kind = Applicant.select().where(Applicant.kind == columns["applicant_kind"])
    if columns["applicant_kind"] == "entity":
        sure = identity.stir(columns["stir"]) and (Applicant.stir == columns["stir"])
    else:
        sure = identity.pinfl(columns["pinfl"]) and (Applicant.pinfl == columns["pinfl"])
    if sure and (known := same_kind.where(sure).order_by(Applicant.id).first()):
        return known
    if not (columns["phone"] and _key(columns)):
        return None
    by_phone = same_kind.where(
        Applicant.phone == columns["phone"], Applicant.search_key == _key(columns)
    )
    if sure:  # the same name and phone, but another document: another person
        number = Applicant.stir if columns["applicant_kind"] == "entity" else Applicant.pinfl
        by_phone = by_phone.where(number == "")
    return by_phone.order_by(Applicant.id).first()


def told_of(columns: dict[str, Any]) -> Applicant | None:
    """The known applicant whom a form's columns tell of: as `match`, else by the whole passport.

    For showing only: a passport alone merges nobody.
    """
    if known := match(columns):
        return known
    passport = columns["passport"] if columns["applicant_kind"] == "person" else ""
    if not identity.passport(passport):
        return None
    return Applicant.select().where(Applicant.passport == passport).order_by(Applicant.id).first()


def with_phone(phone: str | None) -> list[Applicant]:
    """Applicants last heard from this number (normalised), the newest first."""
    if not phone:
        return []
    return _WITH_PHONE.rows(phone=phone)


def name_of(applicant: Any) -> str:
    """How an applicant or an appeal's applicant is called: the entity, else first name, surname."""
    return applicant.entity_name or f"{applicant.first_name} {applicant.surname}".strip()


def _key(columns: dict[str, Any]) -> str:
    if columns["applicant_kind"] == "entity":
        return fold(columns["entity_name"])
    return fold(f"{columns['surname']} {columns['first_name']}")
