"""A citizen with data in every possible place, written there by the real code."""

import datetime as dt
from dataclasses import dataclass, field

from appliance.box import retention
from appliance.casework import appeals, call_forms, catalogs, data_requests, knowledge
from appliance.casework.appeals import additions, answer_drafts, consultations, handling
from appliance.core import clock, outbox
from appliance.core.db import writing
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

ASKED = "ishga joylashish boʻyicha yordam soʻraydi"


@dataclass
class Canary:
    """The words of one citizen; `reason` is what staff gave as a reason."""

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
        self.former = f"{self.stem}qulova"
        self.reason = f"{self.stem}sabab"

    @property
    def form(self) -> dict[str, str]:
        """What is typed before the correction, also where a list would have a code."""
        text = f"{self.former} {self.name}, tel. {self.former_phone}, {ASKED}"
        return {
            **{"applicant_kind": "person", "appeal_type": "application", "openness": "open"},
            **{"surname": self.former, "first_name": self.name, "sex": "f"},
            **{"call_type_text": f"{self.stem}tur", "group_text": f"{self.stem}guruh"},
            **{"employment_text": f"{self.stem}mehnat", "direction": "subsidies"},
            **{"region_text": f"{self.stem}voha", "district_text": f"{self.stem}tuman"},
            **{"mahalla_text": f"{self.stem}obod", "address": f"{self.stem} tor koʻchasi 8"},
            **{"passport": self.former_passport, "pinfl": "", "born": "02.01.1990"},
            **{"phone": self.former_phone, "phone_at_hand": "", "gist": text},
            **{"consultation": "1", "consultation_issue": f"{self.former} {ASKED}"},
            **{"consultation_contact": "A. Sobirov"},
        }

    @property
    def corrected(self) -> dict[str, str]:
        """The form after it; its texts still have the former name."""
        return self.form | {
            **{"surname": self.surname, "phone": self.phone, "passport": self.passport},
            **{"pinfl": self.pinfl, "address": f"{self.stem} keng koʻchasi 9"},
        }

    @property
    def words(self) -> list[str]:
        """What must be found nowhere afterwards."""
        typed = ("tur", "guruh", "mehnat", "voha", "tuman", "obod")
        phone = self.former_phone.removeprefix("+998")
        words = [self.surname, self.name, self.former, phone, self.passport, self.former_passport]
        return [*words, self.pinfl, *(f"{self.stem}{end}" for end in typed), f"{self.stem} tor"]

    def plant(self, settings: Settings, operator: User, other: User, ministry: User) -> Appeal:
        """The citizen calls, is registered and corrected, and all staff write about them."""
        citizen = Citizen(self.call, self.phone)
        citizen.ring(operator)
        citizen.talk()
        desk = appeals.at_hand(operator, clock.now())
        assert desk
        calendar = catalogs.working_calendar(settings)
        made = appeals.register(
            self.form, operator=operator, token=desk.token, tz=settings.tz, calendar=calendar
        )
        version = Handling.get_by_id(made.id).version
        appeals.correct(made, self.corrected, operator.login, version, calendar)
        citizen.hang_up()
        made = self.appeal = Appeal.get_by_id(made.id)
        said = {"gist": f"{self.former} qoʻshimcha, {self.former_phone}", "surname": self.former}
        for values in (said, self.form):  # one is added, one stays a draft without a call
            token = appeals.token_for(other, None)
            appeals.save_draft(other, token, values)
            if values is said:
                additions.add(made, said, operator=other, token=token, tz=settings.tz)
        answer_drafts.save(ministry, made, "answer", f"Hurmatli {self.former}")
        form = CallForm.get(CallForm.appeal_number == made.number)
        values = self.form | {"operator_answer": f"{self.former}ga aytildi"}
        call_forms.correct(form, values, other.login, calendar)
        call_forms.correct(CallForm.get_by_id(form.id), self.corrected, other.login, calendar)
        consultations.concluded(made, f"{self.former} bilan gaplashildi", ministry.login)
        assert Consultation.get_by_id(made.id).result
        self._close(ministry)
        self._write_about(settings, operator, other)
        self._send()
        return Appeal.get_by_id(made.id)

    def _close(self, ministry: User) -> None:
        today = clock.now().date()
        for action, text in (("answer", f"Hurmatli {self.former}, javob"), ("close", "")):
            version = Handling.get_by_id(self.appeal.id).version
            handling.do(action, self.appeal, ministry.login, version, today, text)

    def _write_about(self, settings: Settings, operator: User, other: User) -> None:
        number, now, why = self.appeal.number, clock.now(), f"{self.reason} uchun"
        sent = {name: [text] for name, text in self.form.items()}
        refused_forms.save(other, "/workplace/register", "busy", sent)
        refused_forms.save(other, f"/workplace/{self.call}-9-0", "busy", {"gist": [self.stem]})
        refused_forms.save(other, f"/appeals/{number}/answer", "busy", {"text": [self.former]})
        for kind, subject in (("appeal", number), ("call", self.call)):
            held = retention.hold(kind, subject, why, operator.login)
            retention.end(held.id, operator.login)
        EvidencePack.create(appeal=number, call_id=self.call, by="m", reason=why, asked_at=now)
        AppealReveal.create(login="m", appeal=self.appeal, at=now, reason=why)
        Listening.create(login="m", call_id=self.call, at=now, reason=why)
        supervisor = User.get(User.role == "supervisor")
        announcements.send(f"{self.former}, {self.former_phone}: ulang", "", supervisor)
        knowledge.nothing_found(f"{self.former} arizasi", operator)
        note = f"{self.former} doim qoʻngʻiroq qiladi"
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
        told = {"kind": "tell", "person": self.former, "phone": self.former_phone}
        told |= {"proof": self.former_passport, "what": note, "number": number}
        asked = data_requests.ask(manager, told, catalogs.working_calendar(settings))
        answer = f"{self.former}, sizda bitta murojaat bor"
        data_requests.close(asked, manager, "done", answer, data_requests.Stored(), False)

    def _send(self) -> None:
        text = f"Hurmatli {self.former}"
        with writing():
            outbox.put("sms", "manual", self.phone, text="Ertaga keling", key=self.stem)
        Message.update(state="delivered", ended_at=clock.now()).where(
            Message.key == self.stem
        ).execute()
        causes = {"sms": self.appeal.number, "telegram": self.appeal.number, "ministry": self.call}
        for channel, cause in causes.items():
            with writing():
                message = outbox.put(
                    channel, "manual", self.former_phone, text=text, cause=cause,
                    key=f"{channel}:{cause}", payload={"line": text, "surname": self.former},
                )  # fmt: skip
            trouble = f"unknown number {self.former_phone}"
            ended = {"state": "refused", "ended_at": clock.now(), "trouble_text": trouble}
            Message.update(ended).where(Message.id == message.id).execute()


def month_before(settings: Settings) -> dt.date:
    """The first day of the month before this one."""
    first = clock.now().astimezone(settings.tz).date().replace(day=1)
    return (first - dt.timedelta(days=1)).replace(day=1)
