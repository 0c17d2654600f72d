"""Taking persons' data out of what was typed: appeals, drafts, notes at missed callers."""

import datetime as dt
from typing import Any

from appliance.box.retention import issued_reports, proof, rules, traces
from appliance.box.retention.identity import Cut
from appliance.box.retention.turns import Turns
from appliance.casework import applicants, catalogs, forms
from appliance.casework.appeals import searching
from appliance.casework.forms.drafts import is_blank
from appliance.core.settings import Settings
from appliance.models import (
    AnswerDraft,
    Appeal,
    AppealStep,
    AppealWording,
    CallForm,
    CallFormWording,
    Consultation,
    Draft,
    FollowUp,
    FollowUpMark,
    Message,
    MinistryEvent,
    NumberNote,
    Removal,
    ScheduledCallback,
    SmsRating,
    personal_columns,
)
from appliance.models.personal_columns import Kind


def appeals(settings: Settings, turns: Turns, before: dt.datetime, rule: str) -> int:
    """Mask closed appeals, and what was still to be sent of those masked before; how many.

    Issued reports that contain them are withdrawn.
    """

    def remove(appeal: Appeal) -> bool:
        issued_reports.withdraw(issued_reports.find(settings, appeal), "jobs")
        _mask(appeal, rule)
        return True

    count = turns.each(rules.appeals(before), Appeal.id, remove)
    turns.each(rules.messages(before), Message.id, _mask_message)
    return count


def call_forms(settings: Settings, turns: Turns, before: dt.datetime, rule: str) -> int:
    """Mask registered calls that became no appeal; how many."""

    def remove(form: CallForm) -> bool:
        issued_reports.withdraw(issued_reports.find(settings, form), "jobs")
        _mask_call_form(form)
        fields = list(personal_columns.blanks(CallForm))
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
        return _blank(NumberNote, NumberNote.id == note.id)

    def remove_callback(task: ScheduledCallback) -> bool:
        proof.write_down("note", f"callback:{task.id}", rule)
        return _blank(ScheduledCallback, ScheduledCallback.id == task.id)

    return (
        turns.each(rules.notes(before), FollowUpMark.id, remove)
        + turns.each(rules.number_notes(before), NumberNote.id, remove_note)
        + turns.each(rules.callbacks(before), ScheduledCallback.id, remove_callback)
        + traces.aged(turns, before, rule)
    )


def person(appeal: Appeal, rule: str, kept: Cut | None) -> None:
    """Take who the applicant is out of an appeal on his request, in a write transaction.

    `kept`: what stays of a text that must be kept longer; None: nothing of it.
    """
    _mask(appeal, rule, kept)


def call_form_person(form: CallForm, rule: str, kept: Cut | None) -> None:
    """The same of a registered call that became no appeal."""
    _mask_call_form(form, kept)
    kind, fields = "call_form_person" if kept else "call_form", personal_columns.blanks(CallForm)
    proof.write_down(kind, form.number, rule, call=form.call_id, fields=list(fields))


def number(phone: str, rule: str) -> None:
    """Take out what hangs on a number alone: messages that ended, notes, promised calls, marks."""
    ended = Message.state.not_in(rules.ON_ITS_WAY)
    _blank(Message, Message.recipient == phone, ended)
    for note in NumberNote.select().where(NumberNote.number == phone):
        proof.write_down("note", f"number:{note.id}", rule)
        _blank(NumberNote, NumberNote.id == note.id)
    for task in ScheduledCallback.select().where(ScheduledCallback.number == phone):
        proof.write_down("note", f"callback:{task.id}", rule)
        _blank(ScheduledCallback, ScheduledCallback.id == task.id)
    _blank(FollowUpMark, FollowUpMark.number == phone)
    _blank(FollowUp, FollowUp.number == phone)
    _blank(SmsRating, SmsRating.number == phone)


def again(turns: Turns) -> int:
    """Mask once more what a former release masked, which took less out; how many records."""

    def remove(appeal: Appeal) -> bool:
        _take_out(appeal, _kept_before("appeal", appeal.number))
        return _note_extent("appeal", appeal.number)

    def remove_form(form: CallForm) -> bool:
        _mask_call_form(form, _kept_before("call_form", form.number))
        return _note_extent("call_form", form.number)

    half_masked = {table: rules.half_masked(table, proof.EXTENT) for table in (Appeal, CallForm)}
    return turns.each(half_masked[Appeal], Appeal.id, remove) + turns.each(
        half_masked[CallForm], CallForm.id, remove_form
    )


def _kept_before(kind: str, number: str) -> Cut | None:
    """What stays of texts that were cut when the record was masked: all, unless they are due."""
    return None if rules.removed(kind, number).exists() else str


def _note_extent(kind: str, number: str) -> bool:
    here = (Removal.subject == number, Removal.kind.in_((kind, f"{kind}_person")))
    return bool(Removal.update(extent=proof.EXTENT).where(*here).execute())


def _mask(appeal: Appeal, rule: str, kept: Cut | None = None) -> None:
    _take_out(appeal, kept)
    proof.write_down(
        "appeal_person" if kept else "appeal",
        appeal.number,
        rule,
        registered=appeal.registered_at.isoformat(),
        fields=list(personal_columns.blanks(Appeal)),
    )


def _take_out(appeal: Appeal, kept: Cut | None) -> None:
    """Take a person's data out of an appeal and all that hangs on it; what is counted stays.

    `kept`: what stays of texts, who was contacted too; without it nothing does.
    """
    former = _texts(appeal)
    mahallas = _mahallas(appeal)
    _mask_row(appeal, forms.of(forms.APPEAL, appeal.form_version), kept)
    AnswerDraft.delete().where(AnswerDraft.appeal == appeal).execute()
    for asked_for in Consultation.select().where(Consultation.appeal == appeal.id):
        asked_for.result = kept(asked_for.result) if kept else ""
        asked_for.save()
    for step in AppealStep.select().where(AppealStep.appeal == appeal):
        if "changes" in step.detail:
            step.detail["changes"] = dict.fromkeys(step.detail["changes"], ["", ""])
        step.text = kept(step.text) if kept else ""
        step.save()
    for wording in AppealWording.select().where(AppealWording.appeal == appeal):
        wording.values = dict.fromkeys(wording.values, "")
        wording.save()
    causes = {appeal.number, appeal.token, appeal.call_id} - {None, ""}  # its form's name, too
    for cause in causes:
        _mask_messages(cause)
    _blank(MinistryEvent, MinistryEvent.number == appeal.number)
    if appeal.call_id:
        Draft.delete().where(Draft.call_id == appeal.call_id).execute()  # another operator's
        _blank(SmsRating, SmsRating.call_id == appeal.call_id)
    for form in CallForm.select().where(CallForm.appeal_number == appeal.number):
        _mask_call_form(form, kept)
    traces.blank_of_records({appeal.number}, {appeal.call_id} - {None, ""})
    searching.remember(appeal, *former)
    for mahalla in mahallas:
        catalogs.forget_mahalla(mahalla)
    applicants.refresh(appeal.applicant_id)


def _mask_row(row: Any, definition: forms.Definition, kept: Cut | None) -> None:
    """Blank the personal columns of an appeal or a registered call, and save it.

    A text that was typed in place of a code stays counted as one.
    """
    table, extra = type(row), forms.without_person(definition, row.extra)
    former = {name: getattr(row, name) for name in personal_columns.names(table, Kind.TEXT)}
    for name, blank in personal_columns.blanks(table).items():
        setattr(row, name, blank)
    for name, text in former.items() if kept else ():
        setattr(row, name, kept(text) if kept else "")
    for name in personal_columns.names(table, Kind.CHOICE):
        if (value := getattr(row, name)) and not catalogs.is_code(name, value):
            setattr(row, name, catalogs.UNLISTED)
    row.extra = extra
    row.save()


def _texts(appeal: Appeal) -> list[str]:
    """What an appeal is found by, and was before its corrections."""
    past = AppealWording.select().where(AppealWording.appeal == appeal)
    return [searching.words_of(appeal), *(searching.words_of_values(one.values) for one in past)]


def _mahallas(appeal: Appeal) -> set[int]:
    """The ids of the mahallas that an appeal has, and had before its corrections."""
    past = AppealWording.select().where(AppealWording.appeal == appeal)
    held = {str(one.values.get("mahalla", "")) for one in past} | {str(appeal.mahalla_id or "")}
    return {int(id) for id in held if id.isdigit()}


def _mask_call_form(form: CallForm, kept: Cut | None = None) -> None:
    """Take a person's data out of a registered call; what is counted stays."""
    _mask_row(form, forms.of(forms.CALL, form.version), kept)
    for wording in CallFormWording.select().where(CallFormWording.call_form == form):
        wording.values = dict.fromkeys(wording.values, "")
        wording.save()
    traces.blank_of_records(set(), {form.call_id})


def _mask_messages(cause: str) -> None:
    _blank(Message, Message.cause == cause, Message.state.not_in(rules.ON_ITS_WAY))


def _mask_message(message: Message) -> bool:
    return _blank(Message, Message.id == message.id)


def _blank(table: Any, *where: Any) -> bool:
    """Blank the personal columns of some rows; whether there were any."""
    return bool(table.update(personal_columns.blanks(table)).where(*where).execute())
