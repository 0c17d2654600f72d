"""A citizen with data in every possible place, written by the product's own code."""

import datetime as dt
from dataclasses import dataclass, field

from appliance.box import retention
from appliance.casework import call_forms, catalogs, data_requests
from appliance.casework.appeals import (
    additions,
    answer_drafts,
    consultations,
    correcting,
    handling,
    registering,
)
from appliance.casework.appeals.desk import current_desk
from appliance.casework.forms import drafts
from appliance.casework.knowledge import searching
from appliance.core import clock, outbox
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import (
    Appeal,
    AppealReveal,
    CallForm,
    Consultation,
    EvidencePack,
    FollowUp,
    FollowUpMark,
    Handling,
    Listening,
    Message,
    MinistryEvent,
    NumberNote,
    ScheduledCallback,
    SmsRating,
    User,
)
from appliance.people import announcements, refused_forms
from tests.rig.citizen import Citizen

REQUEST_TEXT = "ishga joylashish boʻyicha yordam soʻraydi"


@dataclass
class Canary:
    """The texts of one citizen; `reason` is the reason that staff gave."""

    stem: str
    phone: str
    former_phone: str
    passport: str
    former_passport: str
    pinfl: str
    call: str
    appeal: Appeal = field(init=False)

    def __post_init__(self) -> None:
        self.surname, self.name = f"{self.stem}eykina", f"{self.stem}xon"
        self.former_surname = f"{self.stem}qulova"
        self.reason = f"{self.stem}sabab"

    @property
    def initial_form(self) -> dict[str, str]:
        """The form as typed before the correction, with free text even where a list has a code."""
        text = f"{self.former_surname} {self.name}, tel. {self.former_phone}, {REQUEST_TEXT}"
        return {
            **{"applicant_kind": "person", "appeal_type": "application", "openness": "open"},
            **{"surname": self.former_surname, "first_name": self.name, "sex": "f"},
            **{"call_type_text": f"{self.stem}tur", "group_text": f"{self.stem}guruh"},
            **{"employment_text": f"{self.stem}mehnat", "direction": "subsidies"},
            **{"region_text": f"{self.stem}voha", "district_text": f"{self.stem}tuman"},
            **{"mahalla_text": f"{self.stem}obod", "address": f"{self.stem} tor koʻchasi 8"},
            **{"passport": self.former_passport, "pinfl": "", "born": "02.01.1990"},
            **{"phone": self.former_phone, "phone_at_hand": "", "gist": text},
            **{"consultation": "1", "consultation_issue": f"{self.former_surname} {REQUEST_TEXT}"},
            **{"consultation_contact": "A. Sobirov"},
        }

    @property
    def corrected_form(self) -> dict[str, str]:
        """The form after the correction; its texts still have the former name."""
        return self.initial_form | {
            **{"surname": self.surname, "phone": self.phone, "passport": self.passport},
            **{"pinfl": self.pinfl, "address": f"{self.stem} keng koʻchasi 9"},
        }

    @property
    def personal_texts(self) -> list[str]:
        """Texts that must not be found anywhere afterwards."""
        endings = ("tur", "guruh", "mehnat", "voha", "tuman", "obod")
        phone = self.former_phone.removeprefix("+998")
        texts = [
            self.surname,
            self.name,
            self.former_surname,
            phone,
            self.passport,
            self.former_passport,
        ]
        return [*texts, self.pinfl, *(f"{self.stem}{end}" for end in endings), f"{self.stem} tor"]

    def plant_everywhere(
        self, settings: Settings, operator: User, other: User, ministry: User
    ) -> Appeal:
        """The citizen calls, is registered and corrected, and all staff write about them."""
        citizen = Citizen(self.call, self.phone)
        citizen.ring_operator(operator)
        citizen.start_talk()
        desk = current_desk(operator, clock.now())
        assert desk
        calendar = catalogs.working_calendar(settings)
        appeal = registering.register(
            self.initial_form,
            operator=operator,
            token=desk.token,
            tz=settings.tz,
            calendar=calendar,
        )
        version = Handling.get_by_id(appeal.id).version
        correcting.correct_appeal(appeal, self.corrected_form, operator.login, version, calendar)
        citizen.hang_up()
        appeal = self.appeal = Appeal.get_by_id(appeal.id)
        addition = {
            "gist": f"{self.former_surname} qoʻshimcha, {self.former_phone}",
            "surname": self.former_surname,
        }
        for values in (
            addition,
            self.initial_form,
        ):  # one is added; the other remains a draft without a call
            token = drafts.token_for(other, None)
            drafts.save_draft(other, token, values)
            if values is addition:
                additions.add_to_appeal(
                    appeal, addition, operator=other, token=token, tz=settings.tz
                )
        answer_drafts.save_answer_draft(
            ministry, appeal, "answer", f"Hurmatli {self.former_surname}"
        )
        form = CallForm.get(CallForm.appeal_number == appeal.number)
        values = self.initial_form | {"operator_answer": f"{self.former_surname}ga aytildi"}
        call_forms.correct_call_form(form, values, other.login, calendar)
        call_forms.correct_call_form(
            CallForm.get_by_id(form.id), self.corrected_form, other.login, calendar
        )
        consultations.record_outcome(
            appeal, f"{self.former_surname} bilan gaplashildi", ministry.login
        )
        assert Consultation.get_by_id(appeal.id).result
        self._close_appeal(ministry)
        self._write_about(settings, operator, other)
        self._send_messages()
        answered_appeal: Appeal = Appeal.get_by_id(appeal.id)
        return answered_appeal

    def _close_appeal(self, ministry: User) -> None:
        today = clock.now().date()
        for action, text in (("answer", f"Hurmatli {self.former_surname}, javob"), ("close", "")):
            version = Handling.get_by_id(self.appeal.id).version
            handling.perform_step(
                self.appeal,
                action,
                actor=ministry.login,
                expected_version=version,
                today=today,
                text=text,
            )

    def _write_about(self, settings: Settings, operator: User, other: User) -> None:
        number, now, reason = self.appeal.number, clock.now(), f"{self.reason} uchun"
        form_lists = {name: [text] for name, text in self.initial_form.items()}
        refused_forms.save_form(other, "/workplace/register", "busy", form_lists)
        refused_forms.save_form(other, f"/workplace/{self.call}-9-0", "busy", {"gist": [self.stem]})
        refused_forms.save_form(
            other, f"/appeals/{number}/answer", "busy", {"text": [self.former_surname]}
        )
        for kind, subject in (("appeal", number), ("call", self.call)):
            hold = retention.set_hold(kind, subject, reason, operator.login)
            retention.end_hold(hold.id, operator.login)
        EvidencePack.create(appeal=number, call_id=self.call, by="m", reason=reason, asked_at=now)
        AppealReveal.create(login="m", appeal=self.appeal, at=now, reason=reason)
        Listening.create(login="m", call_id=self.call, at=now, reason=reason)
        supervisor = User.get(User.role == "supervisor")
        announcements.send_announcement(
            f"{self.former_surname}, {self.former_phone}: ulang", "", supervisor
        )
        searching.record_failed_search(f"{self.former_surname} arizasi", operator)
        note = f"{self.former_surname} doim qoʻngʻiroq qiladi"
        NumberNote.create(number=self.phone, text=note, by="m", at=now)
        ScheduledCallback.create(
            number=self.phone, due_at=now, note=note, operator=operator, made_by="m", made_at=now,
            done_at=now,
        )  # fmt: skip
        FollowUpMark.create(number=self.phone, at=now, outcome="done", note=note)
        FollowUp.create(
            number=self.phone, opened_at=now, kind="queue", call_id=self.call, calls=1,
            missed_at=now, joined_at=now, closed_at=now, outcome="done", note=note,
        )  # fmt: skip
        MinistryEvent.create(
            id=number, number=number, action="answer", outcome="state", text=note, at=now
        )
        SmsRating.create(
            call_id=self.call, token=self.stem, number=self.former_phone, language="uz",
            asked_at=now, expires_at=now,
        )  # fmt: skip
        manager = User.get(User.role == "manager")
        request_form = {"kind": "tell", "person": self.former_surname, "phone": self.former_phone}
        request_form |= {"proof": self.former_passport, "what": note, "number": number}
        request = data_requests.register_data_request(
            manager, request_form, catalogs.working_calendar(settings)
        )
        answer = f"{self.former_surname}, sizda bitta murojaat bor"
        data_requests.close_data_request(
            request, manager, "done", answer, data_requests.StoredRecords(), False
        )

    def _send_messages(self) -> None:
        text = f"Hurmatli {self.former_surname}"
        with write_transaction():
            outbox.queue_message("sms", "manual", self.phone, text="Ertaga keling", key=self.stem)
        Message.update(state="delivered", ended_at=clock.now()).where(
            Message.key == self.stem
        ).execute()
        causes = {"sms": self.appeal.number, "telegram": self.appeal.number, "ministry": self.call}
        for channel, cause in causes.items():
            with write_transaction():
                message = outbox.queue_message(
                    channel, "manual", self.former_phone, text=text, cause=cause,
                    key=f"{channel}:{cause}",
                    payload={"line": text, "surname": self.former_surname},
                )  # fmt: skip
            trouble = f"unknown number {self.former_phone}"
            refusal = {"state": "refused", "ended_at": clock.now(), "trouble_text": trouble}
            Message.update(refusal).where(Message.id == message.id).execute()


def previous_month(settings: Settings) -> dt.date:
    """The first day of the previous month."""
    first = clock.now().astimezone(settings.tz).date().replace(day=1)
    return (first - dt.timedelta(days=1)).replace(day=1)
