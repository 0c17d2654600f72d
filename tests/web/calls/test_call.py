"""A call's card: its course, and its recordings, which are played for a stated reason."""

import datetime as dt
import re
import subprocess
import wave
from io import BytesIO

import pytest
from mutagen.oggopus import OggOpus
from mutagen.wave import WAVE

from appliance.casework.appeals import registering
from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import Appeal, AuditEntry, Call, Recording, User
from appliance.pbx import ledger
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
from appliance.telephony.calls.day import operator_day
from appliance.telephony.recordings import postprocessing
from tests.rig.rules import RULES

CALL_START = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
CARD_PATH = "/calls/hotline-1.0"


def seconds_in(second: float) -> dt.datetime:
    return CALL_START + dt.timedelta(seconds=second)


@pytest.fixture
def call(settings) -> CallFacts:
    """Rang unanswered, was answered, was transferred to an employee who was busy the first time."""
    facts = CallFacts("hotline-1.0", "inbound", CALL_START, seconds_in(80), caller="+998935550147")
    facts.outcome, facts.stage, facts.ended_by = "answered", "ended", "operator"
    unanswered_ring = RingFacts("sardor", "1002", seconds_in(5), seconds_in(8), "no_answer")
    facts.visits = [
        VisitFacts("uz", seconds_in(5), seconds_in(10), "answered", rings=[unanswered_ring])
    ]
    facts.talks = [
        TalkFacts("operator", "nilufar", "1001", seconds_in(10), seconds_in(40)),
        TalkFacts("employee", "+998711234567", None, seconds_in(50), seconds_in(52)),
    ]
    facts.transfers = [
        TransferFacts("blind", "+998711234567", "nilufar", seconds_in(40), "busy", returned=True),
        TransferFacts("blind", "+998711234567", "nilufar", seconds_in(45), "answered"),
    ]
    facts.attempts = [DialFacts("carrier", seconds_in(41), "BUSY", "17")]
    facts.recordings = [
        RecordingFacts("a.wav", seconds_in(10)),
        RecordingFacts("b.wav", seconds_in(50)),
    ]
    settings.paths.recordings.mkdir()
    for name, seconds in (("a.wav", 3), ("b.wav", 2)):
        with wave.open(str(settings.paths.recordings / name), "wb") as recording_file:
            recording_file.setparams((1, 2, 8000, 0, "NONE", ""))
            recording_file.writeframes(b"\x00\x10" * 8000 * seconds)
    with write_transaction():
        calls.store_call(facts, RULES)
    postprocessing.measure_recordings(settings, ledger.call_projector(settings))
    return facts


def timeline_steps(page: str) -> list[str]:
    timeline = page.split('<ol class="timeline">')[1].split("</ol>")[0]
    return [
        " ".join(re.sub(r"<[^>]+>", " ", step).replace("\u00a0", " ").split())
        for step in timeline.split("</li>")[:-1]
    ]


@pytest.mark.usefixtures("call")
def test_the_card_shows_the_course_of_a_call(login_as) -> None:
    page = login_as("supervisor").get(CARD_PATH).text
    assert [re.sub(r"^[\d:]+ ", "", step) for step in timeline_steps(page)] == [
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


def test_a_connection_gap_is_a_step_and_not_talk_time(call: CallFacts, login_as) -> None:
    call.talks[0].gaps = [(seconds_in(20), seconds_in(24)), (seconds_in(30), seconds_in(31.5))]
    with write_transaction():
        calls.store_call(call, RULES)
    step_texts = [
        re.sub(r"^[\d:]+ ", "", step)
        for step in timeline_steps(login_as("supervisor").get(CARD_PATH).text)
    ]
    assert step_texts[3:6] == [
        "Suhbat 0:24 Nilufar Karimova",
        "Operator sahifasi bilan aloqa uzilgan 0:04 Nilufar Karimova",
        "Operator sahifasi bilan aloqa uzilgan 0:02 Nilufar Karimova",
    ]
    [row] = calls.export_calls(CALL_START, seconds_in(1))
    assert (row["talk_seconds"], len(row["talks"])) == (26.5, 2)
    assert row["gaps"][0] == {"from": _iso_time(20), "to": _iso_time(24)}
    nilufar = User.get(User.login == "nilufar")
    day = operator_day(nilufar, CALL_START, seconds_in(60), lambda _moment: 0.0)
    assert (day.talks, day.talk_seconds) == (1, 24.5)


def _iso_time(second: float) -> str:
    return seconds_in(second).isoformat(timespec="milliseconds")


@pytest.mark.usefixtures("call")
def test_a_topic_has_the_name_that_reports_use(login_as) -> None:
    Call.update(topic="training").execute()
    page = login_as("supervisor").get(CARD_PATH).text
    assert "<dd>Kasbga oʻqitish boʻyicha</dd>" in page
    Call.update(topic="own_topic").execute()
    assert "<dd>own_topic</dd>" in login_as("supervisor").get(CARD_PATH).text


@pytest.mark.usefixtures("call")
def test_recordings_are_played_only_for_a_reason(login_as) -> None:
    browser = login_as("supervisor")
    assert browser.get(f"{CARD_PATH}/recordings/1").status_code == 403
    page = browser.get(CARD_PATH).text
    assert "<audio" not in page
    values = {"csrf_token": browser.token(CARD_PATH), "reason": " "}
    refused = browser.post(f"{CARD_PATH}/listen", data=values)
    assert "Nima uchun tinglayotganingizni yozing" in browser.refused_page(refused)
    done = browser.post(f"{CARD_PATH}/listen", data=values | {"reason": "Shikoyat 12"})
    assert done.headers["Location"] == f"{CARD_PATH}#recordings"
    page = browser.get(CARD_PATH).text
    assert page.count("<audio") == page.count('<svg class="wave"') == 2
    assert "Shikoyat 12" in page
    entry = AuditEntry.get(AuditEntry.action == "recording.listen")
    assert (entry.who, entry.subject, entry.detail) == (
        "dilnoza",
        "hotline-1.0",
        {"reason": "Shikoyat 12"},
    )
    assert login_as("manager").get(f"{CARD_PATH}/recordings/1").status_code == 403


@pytest.mark.usefixtures("call")
def test_a_recording_is_served_whole_and_in_ranges(login_as, settings) -> None:
    browser = login_as("supervisor")
    browser.post(
        f"{CARD_PATH}/listen",
        data={"csrf_token": browser.token(CARD_PATH), "reason": "Shikoyat 12"},
    )
    data = (settings.paths.recordings / "b.wav").read_bytes()
    with browser.get(f"{CARD_PATH}/recordings/2") as full_response:
        assert (full_response.data, full_response.mimetype) == (data, "audio/wav")
        assert full_response.headers["Cache-Control"] == "no-store"  # desks are shared
    with browser.get(
        f"{CARD_PATH}/recordings/2", headers={"Range": "bytes=100-199"}
    ) as range_response:
        assert (range_response.status_code, range_response.data) == (206, data[100:200])
    assert browser.get(f"{CARD_PATH}/recordings/3").status_code == 404
    (settings.paths.recordings / "b.wav").unlink()
    assert browser.get(f"{CARD_PATH}/recordings/2").status_code == 404
    assert "Fayl yoʻq" in browser.get(CARD_PATH).text


@pytest.mark.usefixtures("call")
def test_a_downloaded_recording_names_who_downloaded_it(login_as, settings, tmp_path) -> None:
    browser = login_as("supervisor")
    assert browser.get(f"{CARD_PATH}/recordings/2/file").status_code == 403
    browser.send(f"{CARD_PATH}/listen", reason="Shikoyat 12")
    download = browser.get(f"{CARD_PATH}/recordings/2/file")
    assert download.headers["Content-Disposition"] == 'attachment; filename="hotline-1.0-2.wav"'
    tags = WAVE(BytesIO(download.data)).tags
    assert tags["TXXX:LISTENER"].text == ["dilnoza"]
    assert tags["TXXX:REASON"].text == ["Shikoyat 12"]
    taken_at = dt.datetime.fromisoformat(tags["TXXX:TAKEN_AT"].text[0])
    assert abs(clock.now() - taken_at) < dt.timedelta(minutes=1)
    stored_file = settings.paths.recordings / "b.wav"
    with (
        wave.open(BytesIO(download.data)) as downloaded_wave,
        wave.open(str(stored_file)) as stored_wave,
    ):
        # the sound is the same
        assert downloaded_wave.readframes(99999) == stored_wave.readframes(99999)
    row = AuditEntry.get(AuditEntry.action == "recording.download")
    assert (row.who, row.subject) == ("dilnoza", "hotline-1.0")
    assert row.detail == {"part": "b.wav", "reason": "Shikoyat 12"}
    opus_file = stored_file.with_suffix(".ogg")
    subprocess.run(["opusenc", "--quiet", stored_file, opus_file], check=True)
    Recording.update(kept=opus_file.name).where(Recording.file == "b.wav").execute()
    opus = browser.get(f"{CARD_PATH}/recordings/2/file")
    assert OggOpus(BytesIO(opus.data))["LISTENER"] == ["dilnoza"]
    (tmp_path / "taken.ogg").write_bytes(opus.data)
    decoded = ["opusdec", "--quiet", tmp_path / "taken.ogg", tmp_path / "taken.wav"]
    subprocess.run(decoded, check=True)  # it can be decoded
    opus_file.write_bytes(b"no sound")
    assert browser.get(f"{CARD_PATH}/recordings/2/file").status_code == 404


@pytest.mark.usefixtures("call")
def test_the_ministry_sees_calls_of_its_appeals_only_with_the_right(
    login_as, bahodir, nilufar, settings, call
) -> None:
    browser = login_as("ministry")
    assert browser.get(CARD_PATH).status_code == 403
    recordings.set_personal_right(bahodir, True, by="cli")
    assert browser.get(CARD_PATH).status_code == 404
    appeal = registering.register({}, operator=nilufar, token="t", tz=settings.tz)
    Appeal.update(call_id=call.id).where(Appeal.id == appeal.id).execute()
    assert browser.get(CARD_PATH).status_code == 200


def test_a_department_sees_only_its_own_appeals_on_a_call(
    login_as, bahodir, register, labour, call
) -> None:
    own_appeal, other = register(), register(direction="")
    Appeal.update(call_id=call.id).execute()
    recordings.set_personal_right(bahodir, True, by="cli")
    staff.assign_department(bahodir, labour.id, by="sherzod")
    page = login_as("ministry").get(CARD_PATH).text
    assert own_appeal.number in page
    assert other.number not in page
    assert other.number in login_as("supervisor").get(CARD_PATH).text


def test_an_unknown_call_is_not_found(login_as) -> None:
    assert login_as("supervisor").get(CARD_PATH).status_code == 404
