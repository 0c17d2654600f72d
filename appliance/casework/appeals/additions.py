"""What a citizen adds to an appeal that is still open, in place of another one of the same matter.

Nothing is refused by it: what may be the same is shown, and the operator decides.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from peewee import fn

from appliance.casework import applicants, call_forms, forms
from appliance.casework.appeals import form, handling, queries
from appliance.casework.forms import drafts
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import Appeal, AppealStep, Applicant, CallForm, Draft, User


@dataclass(frozen=True)
class Recognised:
    """Whom a form tells of, and the open appeals that may be of the same matter."""

    person: Applicant | None
    alike: list[Appeal]

    @property
    def key(self) -> str:
        """Another text for another person or other appeals."""
        numbers = [appeal.number for appeal in self.alike]
        return " ".join([str(self.person.id if self.person else ""), *numbers])


def recognise(values: dict[str, str], phone: str | None, today: dt.date, user: User) -> Recognised:
    """The applicant that a form as typed names; `phone` is the number that calls.

    Returns no applicant without an appeal that the user may read, and no personal appeal by typed
    values.
    """
    columns = form.read(values, today).columns
    person = applicants.told_of(columns)
    if person and not queries.of_applicant(person, user, limit=1):
        person = None
    alike = queries.open_alike(
        user, columns["direction"], phone, applicant=person, phone=columns["phone"]
    )
    return Recognised(person, alike)


def add(
    appeal: Appeal,
    values: dict[str, str],
    *,
    operator: User,
    token: str,
    tz: ZoneInfo,
    changed: Callable[[Appeal], object] | None = None,
) -> CallForm | None:
    """Add what a form holds to an open appeal, and return the form №2 of its call, if it has one.

    The gist is the step's text; what else was told otherwise than the appeal has it stands in its
    details. Sent twice with a token, it is added once. `changed` is called in the transaction.
    Raises HandlingError: "words" without a gist, "state" when the appeal is open no more.
    """
    call = drafts.call_of(operator, token)
    appeal = Appeal.get_by_id(appeal.id)  # whole, also to who adds to it without reading it
    with writing():
        known = AppealStep.select().where(AppealStep.appeal == appeal, AppealStep.action == "add")
        if any(step.detail.get("form") == token for step in known):
            return call_forms.of_operator(operator, call) if call else None
        kept = drafts.draft(operator, token)
        whole = (drafts.not_of(kept.form, kept.values) if kept else {}) | values
        today = clock.now().astimezone(tz).date()
        detail = {"form": token, "changes": _differing_answers(appeal, whole, today)}
        if call:
            detail["call"] = call.id
        handling.add(appeal, whole.get("gist", ""), operator.login, detail)
        made = call and call_forms.of_addition(appeal, whole, operator, call, token, tz)
        Draft.delete().where(Draft.operator == operator, Draft.token == token).execute()
        audit.record(operator.login, "draft.add", token, appeal=appeal.number)
        if changed:
            changed(appeal)
        live.publish("calls", f"operator:{operator.login}")
    return made or None


def unseen(appeals: Sequence[Appeal]) -> set[int]:
    """The ids of those appeals to which something was added and nothing done since."""
    newest = (
        AppealStep.select(fn.MAX(AppealStep.id))
        .where(AppealStep.appeal.in_([appeal.id for appeal in appeals]))
        .group_by(AppealStep.appeal)
    )
    added = AppealStep.select(AppealStep.appeal).where(
        AppealStep.id.in_(newest), AppealStep.action == "add"
    )
    return {appeal_id for (appeal_id,) in added.tuples()}


def _differing_answers(
    appeal: Appeal, values: dict[str, str], today: dt.date
) -> dict[str, list[str]]:
    """Field → [in the appeal, as told now] of what was told and stands otherwise in it."""
    definition = form.definition(appeal.form_version)
    read, typed = forms.read(definition, values, today).columns, forms.cleaned(definition, values)
    named = {f"{name}_text" for name in typed if typed.get(name)}  # beside their codes
    same = {n for n in typed if n in read and read[n] == getattr(appeal, n, None)}
    found = forms.differences(definition, forms.values_of(definition, appeal), typed)
    left_out = named | same | {"gist"}
    return {name: pair for name, pair in found.items() if pair[1] and name not in left_out}
