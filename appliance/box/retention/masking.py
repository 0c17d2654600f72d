"""Taking persons' data out of what was typed: appeals, drafts, notes at missed callers."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from appliance.box.retention import proof, rules
from appliance.box.retention.turns import Turns
from appliance.casework import forms
from appliance.casework.appeals import searching
from appliance.casework.forms.drafts import is_blank
from appliance.models import (
    AnswerDraft,
    Appeal,
    AppealStep,
    AppealWording,
    Applicant,
    CallForm,
    CallFormWording,
    Consultation,
    Draft,
    FollowUp,
    FollowUpMark,
    Message,
    MinistryEvent,
    NumberNote,
    ScheduledCallback,
    SmsRating,
)

_PERSONAL = (
    *("first_name", "surname", "entity_name", "stir", "address", "passport", "pinfl"),
    *("born_text", "phone", "phone_at_hand", "gist", "consultation_issue"),
)
_APPLICANT = (
    *("first_name", "surname", "entity_name", "stir", "passport", "pinfl", "phone", "search_key"),
)
_CALL_FORM = (
    *("surname", "first_name", "address", "gist", "operator_answer", "phone", "search_key"),
)
_TEXTS = ("gist", "consultation_issue")  # of an appeal; on request they stay without the person
_SAYS_NOTHING = {"text": "", "recipient": "", "payload": {}}


def appeals(turns: Turns, before: dt.datetime, rule: str) -> int:
    """Mask closed appeals, and what was still to be sent of those masked before; how many."""

    def remove(appeal: Appeal) -> bool:
        _mask(appeal, rule)
        return True

    count = turns.each(rules.appeals(before), Appeal.id, remove)
    turns.each(rules.messages(before), Message.id, _mask_message)
    return count


def call_forms(turns: Turns, before: dt.datetime, rule: str) -> int:
    """Mask registered calls that became no appeal; how many."""

    def remove(form: CallForm) -> bool:
        _mask_call_form(form)
        fields = list(_CALL_FORM)
        proof.write_down("call_form", form.number, rule, call=form.call_id, fields=fields)
        return True

    return turns.each(rules.call_forms(before), CallForm.id, remove)


def drafts(turns: Turns, before: dt.datetime, rule: str) -> int:
    """Throw away what was typed and not registered; how many drafts held anything."""

    def remove(draft: Draft) -> bool:
        typed = not is_blank(draft.values)
        if typed:
            proof.write_down("draft", draft.token, rule, call=draft.call_id)
        draft.delete_instance()
        return typed

    def remove_answer(draft: AnswerDraft) -> bool:
        proof.write_down("draft", f"answer:{draft.appeal.number}", rule)
        draft.delete_instance()
        return True

    answers = AnswerDraft.select().where(AnswerDraft.updated_at < before)
    return turns.each(rules.drafts(before), Draft.id, remove) + turns.each(
        answers, AnswerDraft.id, remove_answer
    )


def notes(turns: Turns, before: dt.datetime, rule: str) -> int:
    """Blank notes: of tasks of missed callers, of numbers, of calls promised; how many."""

    def remove(mark: FollowUpMark) -> bool:
        proof.write_down("note", str(mark.id), rule)
        FollowUpMark.update(note="").where(FollowUpMark.id == mark.id).execute()
        of_task = (FollowUp.number == mark.number, FollowUp.closed_at == mark.at)
        FollowUp.update(note="").where(*of_task).execute()
        return True

    def remove_note(note: NumberNote) -> bool:
        proof.write_down("note", f"number:{note.id}", rule)
        NumberNote.update(number="", text="").where(NumberNote.id == note.id).execute()
        return True

    def remove_callback(task: ScheduledCallback) -> bool:
        proof.write_down("note", f"callback:{task.id}", rule)
        blank = ScheduledCallback.update(number="", note="")
        blank.where(ScheduledCallback.id == task.id).execute()
        return True

    return (
        turns.each(rules.notes(before), FollowUpMark.id, remove)
        + turns.each(rules.number_notes(before), NumberNote.id, remove_note)
        + turns.each(rules.callbacks(before), ScheduledCallback.id, remove_callback)
    )


def person(appeal: Appeal, rule: str, kept: Callable[[str], str] | None) -> None:
    """Take who the applicant is out of an appeal on his request, in a write transaction.

    `kept`: what stays of a text that must be kept longer; None: nothing of it.
    """
    _mask(appeal, rule, kept)


def call_form_person(form: CallForm, rule: str, kept: Callable[[str], str] | None) -> None:
    """The same of a registered call that became no appeal."""
    _mask_call_form(form, kept)
    kind = "call_form_person" if kept else "call_form"
    proof.write_down(kind, form.number, rule, call=form.call_id, fields=list(_CALL_FORM))


def number(phone: str, rule: str) -> None:
    """Take out what hangs on a number alone: messages that ended, notes, promised calls, marks."""
    ended = Message.state.not_in(rules.ON_ITS_WAY)
    Message.update(_SAYS_NOTHING).where(Message.recipient == phone, ended).execute()
    for note in NumberNote.select().where(NumberNote.number == phone):
        proof.write_down("note", f"number:{note.id}", rule)
        NumberNote.update(number="", text="").where(NumberNote.id == note.id).execute()
    for task in ScheduledCallback.select().where(ScheduledCallback.number == phone):
        proof.write_down("note", f"callback:{task.id}", rule)
        blank = ScheduledCallback.update(number="", note="")
        blank.where(ScheduledCallback.id == task.id).execute()
    FollowUpMark.update(note="").where(FollowUpMark.number == phone).execute()
    FollowUp.update(note="").where(FollowUp.number == phone).execute()
    SmsRating.update(number="").where(SmsRating.number == phone).execute()


def _mask(appeal: Appeal, rule: str, kept: Callable[[str], str] | None = None) -> None:
    """Take a person's data out of an appeal and all that hangs on it; what is counted stays.

    `kept`: what stays of texts, who was contacted too; without it nothing does.
    """
    former = _texts(appeal)
    texts = {name: getattr(appeal, name) for name in _TEXTS} if kept else {}
    for name in _PERSONAL:
        setattr(appeal, name, kept(texts[name]) if kept and name in texts else "")
    appeal.born_on, appeal.mahalla = None, None
    appeal.consultation_contact = appeal.consultation_contact if kept else ""
    asked = forms.of(forms.APPEAL, appeal.form_version)
    appeal.typed = {}  # type: ignore[assignment]  # as its column reads
    appeal.extra = forms.without_person(asked, appeal.extra)  # type: ignore[assignment]
    AnswerDraft.delete().where(AnswerDraft.appeal == appeal).execute()
    for asked_for in Consultation.select().where(Consultation.appeal == appeal.id):
        asked_for.result = kept(asked_for.result) if kept else ""
        asked_for.save()
    appeal.save()
    for step in AppealStep.select().where(AppealStep.appeal == appeal):
        if "changes" in step.detail:
            step.detail = {"changes": dict.fromkeys(step.detail["changes"], ["", ""])}
        step.text = kept(step.text) if kept else ""
        step.save()
    for wording in AppealWording.select().where(AppealWording.appeal == appeal):
        wording.values = dict.fromkeys(wording.values, "")
        wording.save()
    _mask_messages(appeal.number)
    if appeal.token:
        _mask_messages(appeal.token)  # written by hand before it was registered
    MinistryEvent.update(text="").where(MinistryEvent.number == appeal.number).execute()
    if appeal.call_id:
        _mask_messages(appeal.call_id)
        Draft.delete().where(Draft.call_id == appeal.call_id).execute()  # another operator's
        SmsRating.update(number="").where(SmsRating.call_id == appeal.call_id).execute()
    for form in CallForm.select().where(CallForm.appeal_number == appeal.number):
        _mask_call_form(form, kept)
    searching.remember(appeal, *former)
    proof.write_down(
        "appeal_person" if kept else "appeal",
        appeal.number,
        rule,
        registered=appeal.registered_at.isoformat(),
        fields=list(_PERSONAL),
    )
    if not rules.unmasked_of(appeal.applicant_id).exists():
        blank = dict.fromkeys(_APPLICANT, "") | {"born_on": None}
        Applicant.update(blank).where(Applicant.id == appeal.applicant_id).execute()


def _texts(appeal: Appeal) -> list[str]:
    """What an appeal is found by, and was before its corrections."""
    past = AppealWording.select().where(AppealWording.appeal == appeal)
    return [searching.words_of(appeal), *(searching.words_of_values(one.values) for one in past)]


def _mask_call_form(form: CallForm, kept: Callable[[str], str] | None = None) -> None:
    """Take a person's data out of a registered call; what is counted stays."""
    extra = forms.without_person(forms.of(forms.CALL, form.version), form.extra)
    texts = ("gist", "operator_answer") if kept else ()
    blank: dict[str, Any] = dict.fromkeys(_CALL_FORM, "") | {"typed": {}, "extra": extra}
    blank |= {name: kept(getattr(form, name)) for name in texts if kept}
    CallForm.update(blank).where(CallForm.id == form.id).execute()
    for wording in CallFormWording.select().where(CallFormWording.call_form == form):
        wording.values = dict.fromkeys(wording.values, "")
        wording.save()


def _mask_messages(cause: str) -> None:
    ended = Message.state.not_in(rules.ON_ITS_WAY)
    Message.update(_SAYS_NOTHING).where(Message.cause == cause, ended).execute()


def _mask_message(message: Message) -> bool:
    return bool(Message.update(_SAYS_NOTHING).where(Message.id == message.id).execute())
