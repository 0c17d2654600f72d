"""Removes personal data from appeals, registered calls, drafts and notes."""

import datetime as dt
from typing import Any

from appliance.box.retention import issued_reports, removal_log, rules, traces
from appliance.box.retention.identity import Redactor
from appliance.box.retention.removal_batches import RemovalBatches
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


def mask_appeals(
    settings: Settings, batches: RemovalBatches, before: dt.datetime, rule: str
) -> int:
    """Mask closed appeals unchanged since `before`; returns their number.

    Issued reports that contain their texts are withdrawn, and messages that are due are blanked.
    """

    def mask_due_appeal(appeal: Appeal) -> bool:
        issued_reports.withdraw_reports(issued_reports.find_reports(settings, appeal), "jobs")
        _mask_appeal(appeal, rule)
        return True

    count = batches.remove_rows(rules.due_appeals(before), Appeal.id, mask_due_appeal)
    batches.remove_rows(rules.due_messages(before), Message.id, _mask_message)
    return count


def mask_call_forms(
    settings: Settings, batches: RemovalBatches, before: dt.datetime, rule: str
) -> int:
    """Mask calls registered before `before` that became no appeal; returns how many."""

    def mask_due_form(form: CallForm) -> bool:
        issued_reports.withdraw_reports(issued_reports.find_reports(settings, form), "jobs")
        _mask_call_form(form)
        fields = list(personal_columns.masked_values(CallForm))
        removal_log.record_removal("call_form", form.number, rule, call=form.call_id, fields=fields)
        return True

    return batches.remove_rows(rules.due_call_forms(before), CallForm.id, mask_due_form)


def delete_drafts(batches: RemovalBatches, before: dt.datetime, rule: str) -> int:
    """Delete drafts that were never registered; returns how many had any content."""

    def delete_due_draft(draft: Draft) -> bool:
        has_content = not is_blank(draft.values)
        if has_content:
            removal_log.record_removal("draft", draft.token, rule, call=draft.call_id)
        draft.delete_instance()
        return has_content

    def delete_due_answer(draft: AnswerDraft) -> bool:
        removal_log.record_removal("draft", f"answer:{draft.appeal.number}", rule)
        draft.delete_instance()
        return True

    answers = AnswerDraft.select().where(AnswerDraft.updated_at < before)
    return batches.remove_rows(
        rules.due_drafts(before), Draft.id, delete_due_draft
    ) + batches.remove_rows(answers, AnswerDraft.id, delete_due_answer)


def blank_notes(batches: RemovalBatches, before: dt.datetime, rule: str) -> int:
    """Blank notes on missed callers, numbers and scheduled callbacks; returns how many."""

    def blank_mark_note(mark: FollowUpMark) -> bool:
        removal_log.record_removal("note", str(mark.id), rule)
        FollowUpMark.update(note="").where(FollowUpMark.id == mark.id).execute()
        is_marked_task = (FollowUp.number == mark.number, FollowUp.closed_at == mark.at)
        FollowUp.update(note="").where(*is_marked_task).execute()
        return True

    def blank_number_note(note: NumberNote) -> bool:
        removal_log.record_removal("note", f"number:{note.id}", rule)
        return _blank_rows(NumberNote, NumberNote.id == note.id)

    def blank_callback(task: ScheduledCallback) -> bool:
        removal_log.record_removal("note", f"callback:{task.id}", rule)
        return _blank_rows(ScheduledCallback, ScheduledCallback.id == task.id)

    return (
        batches.remove_rows(rules.due_notes(before), FollowUpMark.id, blank_mark_note)
        + batches.remove_rows(rules.due_number_notes(before), NumberNote.id, blank_number_note)
        + batches.remove_rows(rules.due_callbacks(before), ScheduledCallback.id, blank_callback)
        + traces.blank_old_notes(batches, before, rule)
    )


def mask_appeal_person(appeal: Appeal, rule: str, redactor: Redactor | None) -> None:
    """Remove the applicant's data from an appeal on request, within a write transaction.

    `redactor` returns the part of a text that must be kept longer; without it, texts are blanked.
    """
    _mask_appeal(appeal, rule, redactor)


def mask_call_form_person(form: CallForm, rule: str, redactor: Redactor | None) -> None:
    """Remove the citizen's data, on request, from a registered call that became no appeal.

    `redactor` is used as in mask_appeal_person.
    """
    _mask_call_form(form, redactor)
    kind, fields = (
        "call_form_person" if redactor else "call_form",
        personal_columns.masked_values(CallForm),
    )
    removal_log.record_removal(kind, form.number, rule, call=form.call_id, fields=list(fields))


def blank_number_data(phone: str, rule: str) -> None:
    """Blank what is stored under a number alone: finished messages, notes, callbacks, marks."""
    is_finished = Message.state.not_in(rules.UNSENT_STATES)
    _blank_rows(Message, Message.recipient == phone, is_finished)
    for note in NumberNote.select().where(NumberNote.number == phone):
        removal_log.record_removal("note", f"number:{note.id}", rule)
        _blank_rows(NumberNote, NumberNote.id == note.id)
    for task in ScheduledCallback.select().where(ScheduledCallback.number == phone):
        removal_log.record_removal("note", f"callback:{task.id}", rule)
        _blank_rows(ScheduledCallback, ScheduledCallback.id == task.id)
    _blank_rows(FollowUpMark, FollowUpMark.number == phone)
    _blank_rows(FollowUp, FollowUp.number == phone)
    _blank_rows(SmsRating, SmsRating.number == phone)


def remask_records(batches: RemovalBatches) -> int:
    """Mask again what an earlier release masked less thoroughly; returns the number of records."""

    def remask_appeal(appeal: Appeal) -> bool:
        _remove_appeal_data(appeal, _earlier_redactor("appeal", appeal.number))
        return _store_extent("appeal", appeal.number)

    def remask_form(form: CallForm) -> bool:
        _mask_call_form(form, _earlier_redactor("call_form", form.number))
        return _store_extent("call_form", form.number)

    half_masked = {
        table: rules.partially_masked(table, removal_log.MASKING_EXTENT)
        for table in (Appeal, CallForm)
    }
    return batches.remove_rows(half_masked[Appeal], Appeal.id, remask_appeal) + batches.remove_rows(
        half_masked[CallForm], CallForm.id, remask_form
    )


def _earlier_redactor(kind: str, number: str) -> Redactor | None:
    """Return the redactor for a record masked earlier: it keeps texts that were not removed."""
    return None if rules.matching_removals(kind, number).exists() else str


def _store_extent(kind: str, number: str) -> bool:
    """Mark a record as masked to the current extent. Returns True if its removal was found."""
    is_removal = (Removal.subject == number, Removal.kind.in_((kind, f"{kind}_person")))
    return bool(Removal.update(extent=removal_log.MASKING_EXTENT).where(*is_removal).execute())


def _mask_appeal(appeal: Appeal, rule: str, redactor: Redactor | None = None) -> None:
    """Mask an appeal and record its removal."""
    _remove_appeal_data(appeal, redactor)
    removal_log.record_removal(
        "appeal_person" if redactor else "appeal",
        appeal.number,
        rule,
        registered=appeal.registered_at.isoformat(),
        fields=list(personal_columns.masked_values(Appeal)),
    )


def _remove_appeal_data(appeal: Appeal, redactor: Redactor | None) -> None:
    """Remove personal data from an appeal and the rows that belong to it.

    Values that reports count stay. `redactor` returns the part of a text that stays, also for the
    results of consultations; without it, no text stays.
    """
    search_texts = _search_texts(appeal)
    mahallas = _mahalla_ids(appeal)
    _mask_row(appeal, forms.numbered_definition(forms.APPEAL_FORM, appeal.form_version), redactor)
    AnswerDraft.delete().where(AnswerDraft.appeal == appeal).execute()
    for consultation in Consultation.select().where(Consultation.appeal == appeal.id):
        consultation.result = redactor(consultation.result) if redactor else ""
        consultation.save()
    for step in AppealStep.select().where(AppealStep.appeal == appeal):
        if "changes" in step.detail:
            step.detail["changes"] = dict.fromkeys(step.detail["changes"], ["", ""])
        step.text = redactor(step.text) if redactor else ""
        step.save()
    for wording in AppealWording.select().where(AppealWording.appeal == appeal):
        wording.values = dict.fromkeys(wording.values, "")
        wording.save()
    causes = {appeal.number, appeal.token, appeal.call_id} - {None, ""}  # token: of its form
    for cause in causes:
        _mask_messages(cause)
    _blank_rows(MinistryEvent, MinistryEvent.number == appeal.number)
    if appeal.call_id:
        Draft.delete().where(Draft.call_id == appeal.call_id).execute()  # of any operator
        _blank_rows(SmsRating, SmsRating.call_id == appeal.call_id)
    for form in CallForm.select().where(CallForm.appeal_number == appeal.number):
        _mask_call_form(form, redactor)
    traces.blank_record_notes({appeal.number}, {appeal.call_id} - {None, ""})
    searching.index_appeal(appeal, *search_texts)
    for mahalla in mahallas:
        catalogs.delete_typed_mahalla(mahalla)
    applicants.refresh_from_appeals(appeal.applicant_id)


def _mask_row(row: Any, definition: forms.Definition, redactor: Redactor | None) -> None:
    """Blank the personal columns of an appeal or a registered call, and save it.

    A text that was typed in place of a code is replaced with a code, so that it is still counted.
    """
    table, extra = type(row), forms.anonymize_added_fields(definition, row.extra)
    original_texts = {
        name: getattr(row, name) for name in personal_columns.column_names(table, Kind.TEXT)
    }
    for name, blank in personal_columns.masked_values(table).items():
        setattr(row, name, blank)
    for name, text in original_texts.items() if redactor else ():
        setattr(row, name, redactor(text) if redactor else "")
    for name in personal_columns.column_names(table, Kind.CHOICE):
        if (value := getattr(row, name)) and not catalogs.is_code(name, value):
            setattr(row, name, catalogs.UNLISTED)
    row.extra = extra
    row.save()


def _search_texts(appeal: Appeal) -> list[str]:
    """Return the texts by which an appeal is found, before and after its corrections."""
    past_wordings = AppealWording.select().where(AppealWording.appeal == appeal)
    return [
        searching.searchable_text(appeal),
        *(searching.searchable_text_of_values(wording.values) for wording in past_wordings),
    ]


def _mahalla_ids(appeal: Appeal) -> set[int]:
    """Return the ids of the mahallas of an appeal, before and after its corrections."""
    past_wordings = AppealWording.select().where(AppealWording.appeal == appeal)
    ids = {str(wording.values.get("mahalla", "")) for wording in past_wordings} | {
        str(appeal.mahalla_id or "")
    }
    return {int(id) for id in ids if id.isdigit()}


def _mask_call_form(form: CallForm, redactor: Redactor | None = None) -> None:
    """Remove personal data from a registered call; values that reports count stay."""
    _mask_row(form, forms.numbered_definition(forms.CALL_FORM, form.version), redactor)
    for wording in CallFormWording.select().where(CallFormWording.call_form == form):
        wording.values = dict.fromkeys(wording.values, "")
        wording.save()
    traces.blank_record_notes(set(), {form.call_id})


def _mask_messages(cause: str) -> None:
    """Blank the finished messages that a record (its number, token or call id) caused."""
    _blank_rows(Message, Message.cause == cause, Message.state.not_in(rules.UNSENT_STATES))


def _mask_message(message: Message) -> bool:
    return _blank_rows(Message, Message.id == message.id)


def _blank_rows(table: Any, *conditions: Any) -> bool:
    """Blank the personal columns of the matching rows. Returns True if there were any."""
    return bool(table.update(personal_columns.masked_values(table)).where(*conditions).execute())
