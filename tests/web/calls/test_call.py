"""A call's card: its course, its recordings for a reason."""

import datetime as dt
import re
import subprocess
import wave
from io import BytesIO

import pytest
from mutagen.oggopus import OggOpus
from mutagen.wave import WAVE

from appliance.casework import appeals
from appliance.core import clock
from appliance.core.db import writing
from appliance.models import Appeal, AuditEntry, Call, Recording, User
from appliance.pbx import projection
from appliance.people import staff
from appliance.telephony import calls, recordings
from appliance.telephony.calls import (
    CallFacts,
    DialFacts,
    RecordingFacts,
    RingFacts,
    TalkFacts,
    TransferFacts,
    VisitFacts,
)
from appliance.telephony.calls.day import day_of_operator
from appliance.telephony.recordings import postprocessing
from tests.rig.rules import RULES

BEGAN = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
CARD = "/calls/hotline-1.0"


def at(second: float) -> dt.datetime:
    return BEGAN + dt.timedelta(seconds=second)


@pytest.fixture
def call(settings) -> CallFacts:
    """Rang in vain, spoke, was passed on to an employee who was busy the first time."""
    facts = CallFacts("hotline-1.0", "inbound", BEGAN, at(80), caller="+998935550147")
    facts.outcome, facts.stage, facts.ended_by = "answered", "ended", "operator"
    vain = RingFacts("sardor", "1002", at(5), at(8), "no_answer")
    facts.visits = [VisitFacts("uz", at(5), at(10), "answered", rings=[vain])]
    facts.talks = [
        TalkFacts("operator", "nilufar", "1001", at(10), at(40)),
        TalkFacts("employee", "+998711234567", None, at(50), at(52)),
    ]
    facts.transfers = [
        TransferFacts("blind", "+998711234567", "nilufar", at(40), "busy", returned=True),
        TransferFacts("blind", "+998711234567", "nilufar", at(45), "answered"),
    ]
    facts.attempts = [DialFacts("carrier", at(41), "BUSY", "17")]
    facts.recordings = [RecordingFacts("a.wav", at(10)), RecordingFacts("b.wav", at(50))]
    settings.paths.recordings.mkdir()
    for name, seconds in (("a.wav", 3), ("b.wav", 2)):
        with wave.open(str(settings.paths.recordings / name), "wb") as made:
            made.setparams((1, 2, 8000, 0, "NONE", ""))
            made.writeframes(b"\x00\x10" * 8000 * seconds)
    with writing():
        calls.store(facts, RULES)
    postprocessing.measure(settings, projection.projector(settings))
    return facts


def steps(page: str) -> list[str]:
    part = page.split('<ol class="timeline">')[1].split("</ol>")[0]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", step).replace("\u00a0", " ").split())
        for step in part.split("</li>")[:-1]
    ]


@pytest.mark.usefixtures("call")
def test_the_course_of_a_call(login_as) -> None:
    page = login_as("supervisor").get(CARD).text
    assert [re.sub(r"^[\d:]+ ", "", step) for step in steps(page)] == [
        "Boshlandi",
        "Navbat: Oʻzbekcha 0:05",
        "Javobsiz jiringladi Sardor Ergashev",
        "Suhbat 0:30 Nilufar Karimova",
        "Boshqaga ulab berilgan +998 71 123 45 67 qaytib keldi",
        "Ulanib boʻlmadi carrier aloqa liniyasi: band",
        "Boshqaga ulab berilgan +998 71 123 45 67 javob berildi",
        "Suhbat 0:02 +998 71 123 45 67",
        "Tugadi biz tomonimizdan",
    ]


def test_a_gap_is_a_step_and_no_talk(call: CallFacts, login_as) -> None:
    call.talks[0].gaps = [(at(20), at(24)), (at(30), at(31.5))]
    with writing():
        calls.store(call, RULES)
    told = [re.sub(r"^[\d:]+ ", "", step) for step in steps(login_as("supervisor").get(CARD).text)]
    assert told[3:6] == [
        "Suhbat 0:24 Nilufar Karimova",
        "Operator sahifasi bilan aloqa uzilgan 0:04 Nilufar Karimova",
        "Operator sahifasi bilan aloqa uzilgan 0:02 Nilufar Karimova",
    ]
    [row] = calls.export(BEGAN, at(1))
    assert (row["talk_seconds"], len(row["talks"])) == (26.5, 2)
    assert row["gaps"][0] == {"from": _iso(20), "to": _iso(24)}
    nilufar = User.get(User.login == "nilufar")
    day = day_of_operator(nilufar, BEGAN, at(60), lambda _moment: 0.0)
    assert (day.talks, day.talk_seconds) == (1, 24.5)


def _iso(second: float) -> str:
    return at(second).isoformat(timespec="milliseconds")


@pytest.mark.usefixtures("call")
def test_a_topic_is_named_as_in_the_reports(login_as) -> None:
    Call.update(topic="training").execute()
    page = login_as("supervisor").get(CARD).text
    assert "<dd>Kasbga oʻqitish boʻyicha</dd>" in page
    Call.update(topic="own_topic").execute()
    assert "<dd>own_topic</dd>" in login_as("supervisor").get(CARD).text


@pytest.mark.usefixtures("call")
def test_recordings_are_heard_for_a_reason_only(login_as) -> None:
    browser = login_as("supervisor")
    assert browser.get(f"{CARD}/recordings/1").status_code == 403
    page = browser.get(CARD).text
    assert "<audio" not in page
    told = {"csrf_token": browser.token(CARD), "reason": " "}
    refused = browser.post(f"{CARD}/listen", data=told)
    assert "Nima uchun eshitayotganingizni yozing" in browser.refused(refused)
    done = browser.post(f"{CARD}/listen", data=told | {"reason": "Shikoyat 12"})
    assert done.headers["Location"] == f"{CARD}#recordings"
    page = browser.get(CARD).text
    assert page.count("<audio") == page.count('<svg class="wave"') == 2
    assert "Shikoyat 12" in page
    entry = AuditEntry.get(AuditEntry.action == "recording.listen")
    assert (entry.who, entry.subject, entry.detail) == (
        "dilnoza",
        "hotline-1.0",
        {"reason": "Shikoyat 12"},
    )
    assert login_as("manager").get(f"{CARD}/recordings/1").status_code == 403


@pytest.mark.usefixtures("call")
def test_sound_in_whole_and_in_part(login_as, settings) -> None:
    browser = login_as("supervisor")
    browser.post(
        f"{CARD}/listen", data={"csrf_token": browser.token(CARD), "reason": "Shikoyat 12"}
    )
    data = (settings.paths.recordings / "b.wav").read_bytes()
    with browser.get(f"{CARD}/recordings/2") as whole:
        assert (whole.data, whole.mimetype) == (data, "audio/wav")
        assert whole.headers["Cache-Control"] == "no-store"  # a desk is shared
    with browser.get(f"{CARD}/recordings/2", headers={"Range": "bytes=100-199"}) as part:
        assert (part.status_code, part.data) == (206, data[100:200])
    assert browser.get(f"{CARD}/recordings/3").status_code == 404
    (settings.paths.recordings / "b.wav").unlink()
    assert browser.get(f"{CARD}/recordings/2").status_code == 404
    assert "Fayl yoʻq" in browser.get(CARD).text


@pytest.mark.usefixtures("call")
def test_what_is_taken_says_who_took_it(login_as, settings, tmp_path) -> None:
    browser = login_as("supervisor")
    assert browser.get(f"{CARD}/recordings/2/file").status_code == 403
    browser.send(f"{CARD}/listen", reason="Shikoyat 12")
    taken = browser.get(f"{CARD}/recordings/2/file")
    assert taken.headers["Content-Disposition"] == 'attachment; filename="hotline-1.0-2.wav"'
    tags = WAVE(BytesIO(taken.data)).tags
    assert tags["TXXX:LISTENER"].text == ["dilnoza"]
    assert tags["TXXX:REASON"].text == ["Shikoyat 12"]
    at = dt.datetime.fromisoformat(tags["TXXX:TAKEN_AT"].text[0])
    assert abs(clock.now() - at) < dt.timedelta(minutes=1)
    kept = settings.paths.recordings / "b.wav"
    with wave.open(BytesIO(taken.data)) as heard, wave.open(str(kept)) as there:
        assert heard.readframes(99999) == there.readframes(99999)  # the sound is the same
    row = AuditEntry.get(AuditEntry.action == "recording.download")
    assert (row.who, row.subject) == ("dilnoza", "hotline-1.0")
    assert row.detail == {"part": "b.wav", "reason": "Shikoyat 12"}
    made = kept.with_suffix(".ogg")
    subprocess.run(["opusenc", "--quiet", kept, made], check=True)
    Recording.update(kept=made.name).where(Recording.file == "b.wav").execute()
    opus = browser.get(f"{CARD}/recordings/2/file")
    assert OggOpus(BytesIO(opus.data))["LISTENER"] == ["dilnoza"]
    (tmp_path / "taken.ogg").write_bytes(opus.data)
    decoded = ["opusdec", "--quiet", tmp_path / "taken.ogg", tmp_path / "taken.wav"]
    subprocess.run(decoded, check=True)  # it plays
    made.write_bytes(b"no sound")
    assert browser.get(f"{CARD}/recordings/2/file").status_code == 404


@pytest.mark.usefixtures("call")
def test_the_ministry_only_with_a_right_and_of_its_appeals(
    login_as, bahodir, nilufar, settings, call
) -> None:
    browser = login_as("ministry")
    assert browser.get(CARD).status_code == 403
    recordings.allow(bahodir, True, by="cli")
    assert browser.get(CARD).status_code == 404
    appeal = appeals.register({}, operator=nilufar, token="t", tz=settings.tz)
    Appeal.update(call_id=call.id).where(Appeal.id == appeal.id).execute()
    assert browser.get(CARD).status_code == 200


def test_a_department_reads_its_own_appeals_of_a_call_only(
    login_as, bahodir, register, labour, call
) -> None:
    own, other = register(), register(direction="")
    Appeal.update(call_id=call.id).execute()
    recordings.allow(bahodir, True, by="cli")
    staff.assign(bahodir, labour.id, by="sherzod")
    page = login_as("ministry").get(CARD).text
    assert own.number in page
    assert other.number not in page
    assert other.number in login_as("supervisor").get(CARD).text


def test_no_such_call(login_as) -> None:
    assert login_as("supervisor").get(CARD).status_code == 404
