"""Scripts are written, approved, put in force, chosen for a call and followed during it."""

import contextlib
import datetime as dt
import random

import pytest

from appliance.casework import call_forms, catalogs, forms, versions
from appliance.casework.forms import drafts
from appliance.casework.scripts import checks, course, editing, queries, runs, seeding
from appliance.casework.scripts.definition import parse_definition
from appliance.core import clock, i18n
from appliance.core.refusals import Refused
from appliance.models import (
    AuditEntry,
    CallForm,
    Script,
    ScriptStep,
    ScriptVersion,
    SearchEntry,
)
from tests.rig.appeals import create_call, start_talk
from tests.rig.scripts import (
    KNOWN_CODES,
    approve_draft,
    bilingual_text,
    make_script,
    make_step,
    publish_script,
)

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def advance_minutes(monkeypatch):
    """Set the clock to the given number of minutes after the start of the test."""
    began = clock.now()

    def advance_minutes(minutes: float) -> None:
        now = began + dt.timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "now", lambda: now)

    return advance_minutes


def step_codes(row) -> list[str]:
    return [entry.code for entry in queries.version_definition(reload_version(row)).steps]


def reload_version(row) -> ScriptVersion:
    return ScriptVersion.get_by_id(row.id)


def test_a_draft_is_written_step_by_step(sherzod):
    row = editing.add_script({"uz": "Yangi suhbat", "ru": ""}, sherzod)
    assert row.script.code == "yangi-suhbat"
    entry = {"name": bilingual_text("Savol"), "said": bilingual_text("Qanday savol?"), "ends": True}
    code = editing.add_step(row, entry, sherzod, row.revision)
    row = reload_version(row)
    editing.change_step(row, "1", make_step("1", code), sherzod, row.revision)
    row = reload_version(row)
    editing.change_title_and_conditions(
        row, bilingual_text("Suhbat"), {"languages": ["uz"]}, sherzod, row.revision
    )
    row = reload_version(row)
    assert step_codes(row) == ["1", "savol"]
    editing.move_step(row, "savol", False, sherzod, row.revision)
    row = reload_version(row)
    assert step_codes(row) == ["savol", "1"]
    editing.remove_step(row, "1", sherzod, row.revision)
    row = reload_version(row)
    assert step_codes(row) == ["savol"]
    with pytest.raises(Refused, match="steps"):
        editing.remove_step(row, "savol", sherzod, row.revision)
    with pytest.raises(Refused, match="changed"):
        editing.move_step(row, "savol", True, sherzod, row.revision - 1)
    with pytest.raises(Refused, match="step"):
        editing.change_step(row, "gone", entry, sherzod, row.revision)
    with pytest.raises(Refused, match="name"):
        editing.add_step(row, entry | {"name": {"uz": " "}}, sherzod, row.revision)
    actions = [audit_entry.action for audit_entry in AuditEntry.select().order_by(AuditEntry.id)]
    assert actions.count("script.change") == 5
    editing.discard_draft(row, sherzod, row.revision)
    assert not Script.select().exists()


def test_only_the_manager_writes_and_only_the_ministry_approves(sherzod, bahodir, nilufar):
    for user in (bahodir, nilufar):
        with pytest.raises(Refused, match="action"):
            editing.add_script(bilingual_text("Suhbat"), user)
    row = editing.create_script(parse_definition(make_script()), sherzod)
    row = editing.change_version_status("send", row, sherzod, row.revision, KNOWN_CODES)
    with pytest.raises(Refused, match="action"):
        editing.change_version_status("approve", row, sherzod, row.revision, KNOWN_CODES)
    row = editing.change_version_status(
        "return", row, bahodir, row.revision, KNOWN_CODES, "Qisqaroq"
    )
    assert (versions.version_status(row), row.words) == ("returned", "Qisqaroq")


def test_a_script_with_findings_is_not_sent_to_the_ministry(sherzod):
    lost = make_script(make_step("a", "b"), make_step("b", "a"))
    row = editing.create_script(parse_definition(lost), sherzod)
    with pytest.raises(Refused, match="wrong"):
        editing.change_version_status("send", row, sherzod, row.revision, KNOWN_CODES)
    assert reload_version(row).state == "draft"


def test_a_new_version_replaces_the_one_in_force(sherzod, bahodir, advance_minutes):
    first = publish_script(sherzod, bahodir)
    advance_minutes(1)
    row = editing.begin_draft(first.script, sherzod)
    with pytest.raises(Refused, match="pending"):
        editing.begin_draft(first.script, sherzod)
    editing.remove_step(row, "xato", sherzod, row.revision)
    row = reload_version(row)
    entry = make_step("savol", "rahmat")
    editing.change_step(row, "savol", entry, sherzod, row.revision)
    row = approve_draft(reload_version(row), sherzod, bahodir)
    assert [version.number for version in queries.versions_in_force()] == [1]
    since = clock.now() + dt.timedelta(hours=1)
    row = editing.change_version_status("put", row, sherzod, row.revision, KNOWN_CODES, since=since)
    assert [version.number for version in queries.versions_in_force()] == [1]
    advance_minutes(62)
    assert [version.number for version in queries.versions_in_force()] == [2]
    assert [
        version.number for version in queries.versions_in_force(since - dt.timedelta(minutes=1))
    ] == [1]
    script_versions = queries.find_script(first.script.code)
    assert (script_versions.in_force.number, script_versions.pending_version) == (2, None)
    assert [version.number for version in queries.search_scripts("salomlashsh", 5)] == [2]
    assert queries.search_scripts("hech narsa", 5) == []
    row = script_versions.in_force
    editing.change_version_status("retire", row, sherzod, row.revision, KNOWN_CODES)
    assert not SearchEntry.select().exists()


def test_the_call_decides_which_script_is_chosen(settings, sherzod, bahodir):
    everything = publish_script(sherzod, bahodir)
    back = publish_script(sherzod, bahodir, make_script(title="Qayta", kinds=["callback"]))
    topic = publish_script(sherzod, bahodir, make_script(title="Subsidiya", topics=["subsidies"]))
    calendar = catalogs.working_calendar(settings)

    call = create_call()
    call.arrived_at = clock.now()

    def chosen_version(direction: str = "") -> int:
        return queries.versions_for_call(queries.call_situation(call, direction, calendar))[0].id

    assert chosen_version() == everything.id
    assert chosen_version("subsidies") == topic.id
    call.topic = "subsidies"
    assert chosen_version() == topic.id
    call.topic, call.direction, call.reason = None, "outbound", "follow_up"
    assert chosen_version() == back.id
    call.reason = "page"
    assert queries.call_situation(call, "", calendar).kind == "follow_up"
    assert chosen_version() == everything.id
    assert queries.call_situation(None, "", calendar).number == ""


def test_a_call_keeps_its_script_version_and_course(nilufar, sherzod, bahodir, advance_minutes):
    advance_minutes(0)
    version, call = publish_script(sherzod, bahodir), create_call()
    run = runs.begin_run(nilufar, "t", call, version, "uz")
    advance_minutes(1)
    run = runs.open_step(run, 1, answer=1)
    advance_minutes(2)
    second = editing.begin_draft(version.script, sherzod)
    editing.change_step(second, "salom", make_step("salom", "xato"), sherzod, second.revision)
    second = reload_version(second)
    editing.remove_step(second, "savol", sherzod, second.revision)
    second = reload_version(second)
    editing.remove_step(second, "rahmat", sherzod, second.revision)
    second = approve_draft(reload_version(second), sherzod, bahodir)
    editing.change_version_status("put", second, sherzod, second.revision, KNOWN_CODES)
    run = runs.latest_run(nilufar, "another", call)
    assert (run.row.version_id, run.step) == (version.id, "savol")
    run = runs.open_step(run, 2, answer=1)
    run = runs.open_step(run, 3, back=True)
    run = runs.open_step(run, 4, target="rahmat")
    assert [entry.transition for entry in run.course] == [
        "begin",
        "answer",
        "answer",
        "back",
        "jump",
    ]
    assert [entry.answer for entry in run.course] == [1, 1, 0, 0, 0]
    advance_minutes(3)
    runs.end_run(run, "finished")
    stored = runs.runs_of_call(call.id)[0]
    assert (stored.row.result, stored.row.step) == ("finished", "rahmat")
    assert stored.step_durations()[0][0] == "salom"
    assert stored.step_durations()[0][1] == pytest.approx(60)


def test_leaving_a_script_loses_nothing(nilufar, sherzod, bahodir):
    version = publish_script(sherzod, bahodir)
    run = runs.begin_run(nilufar, "f" * 32, None, version, "ru")
    run = runs.open_step(run, 1, answer=1)
    with pytest.raises(Refused, match="result"):
        runs.end_run(run, "finished")
    runs.end_run(run, "left")
    left_run = runs.latest_run(nilufar, "f" * 32, None)
    assert (left_run.is_open, left_run.row.result, left_run.step) == (False, "left", "savol")
    with pytest.raises(Refused, match="none"):
        runs.open_step(left_run, 2, answer=1)
    runs.resume_run(left_run)
    assert runs.open_step(left_run, 2, answer=2).step == "xato"


def test_a_repeated_key_press_counts_once(nilufar, sherzod, bahodir):
    version, call = publish_script(sherzod, bahodir), create_call()
    run = runs.begin_run(nilufar, "t", call, version, "uz")
    assert runs.begin_run(nilufar, "t", call, version, "uz").row.id == run.row.id
    runs.open_step(run, 1, answer=1)
    with pytest.raises(Refused, match="changed"):
        runs.open_step(run, 1, answer=1)
    with pytest.raises(Refused, match="answer"):
        runs.open_step(run, 2, answer=3)
    assert ScriptStep.select().count() == 2


def test_starting_another_script_leaves_the_first_at_its_step(nilufar, sherzod, bahodir):
    first, second = (
        publish_script(sherzod, bahodir),
        publish_script(sherzod, bahodir, make_script(title="Qayta")),
    )
    call = create_call()
    runs.begin_run(nilufar, "t", call, first, "uz")
    runs.begin_run(nilufar, "t", call, second, "uz")
    assert [(r.row.version_id, r.row.result) for r in runs.runs_of_call(call.id)] == [
        (first.id, "left"),
        (second.id, ""),
    ]
    with pytest.raises(Refused, match="language"):
        runs.begin_run(nilufar, "t", call, first, "en")


def test_the_shipped_script_is_seeded_once_as_a_valid_draft(sherzod):
    assert seeding.seed_product_script()
    assert not seeding.seed_product_script()
    row = ScriptVersion.get()
    assert versions.version_status(row) == "draft"
    assert queries.versions_in_force() == []
    fields = {
        field.name for form in forms.FORMS for field in forms.definition_in_force(form).fields
    }
    definition = queries.version_definition(row)
    assert checks.script_findings(definition, checks.AvailableReferences(fields)) == []
    assert all(i18n.is_in_script(text, "Latn") for step in definition.steps
               for _what, words in step.all_texts() for text in [words.get("uz", "")])  # fmt: skip
    editing.discard_draft(row, sherzod, row.revision)
    assert not seeding.seed_product_script()
    assert queries.find_script(row.script.code) is None


def test_an_imported_text_is_merged_into_the_chosen_script(sherzod, bahodir):
    first = publish_script(sherzod, bahodir)
    text = parse_definition({
        "title": bilingual_text("Fayl"),
        "steps": [
            make_step(
                "1", "2", name=bilingual_text("Qadam salom"), said=bilingual_text("Yangi salom")
            ),
            make_step("2", "3", name=bilingual_text("Yangi qadam")),
            make_step(
                "3",
                name=bilingual_text("Qadam savol"),
                said=bilingual_text("Yangi savol"),
                answers=[{"to": "4"}],
            ),
            make_step("4", name=bilingual_text("Oxiri")),
        ],
    })  # fmt: skip
    row = editing.import_into_script(first.script, text, sherzod, first.revision)
    definition = queries.version_definition(reload_version(row))
    assert (row.number, definition.title, definition.when) == (
        2,
        bilingual_text("Salomlashish"),
        parse_definition(make_script()).when,
    )
    assert step_codes(row) == ["salom", "1", "savol", "2"]
    assert definition.steps[0].said == bilingual_text("Yangi salom")
    assert [answer.to for answer in definition.steps[0].answers] == ["savol"]  # as arranged by hand
    savol = definition.find_step("savol")
    assert (savol.fields, savol.said) == (("surname", "direction"), bilingual_text("Yangi savol"))
    assert [answer.to for answer in savol.answers] == ["rahmat", "xato"]
    with pytest.raises(Refused, match="changed"):
        editing.import_into_script(first.script, text, sherzod, row.revision - 1)
    second = editing.import_into_script(first.script, text, sherzod, row.revision)
    assert (second.id, step_codes(second)) == (row.id, ["salom", "1", "savol", "2"])
    assert ScriptVersion.select().count() == 2
    row = editing.create_script(parse_definition(make_script()), sherzod)
    sent = editing.change_version_status("send", row, sherzod, row.revision, KNOWN_CODES)
    with pytest.raises(Refused, match="pending"):
        editing.import_into_script(sent.script, text, sherzod, sent.revision)


def test_every_script_the_editor_accepts_can_be_followed_to_an_end(sherzod):
    """Randomly written scripts: those that can be sent lead from their start to an end."""
    chance, sent, branched = random.Random(18), 0, 0  # noqa: S311  # no secret
    for _number in range(60):
        row = editing.add_script(bilingual_text("Suhbat"), sherzod)
        for _edit in range(chance.randint(2, 9)):
            edit_at_random(reload_version(row), sherzod, chance)
        try:
            row = editing.change_version_status(
                "send", reload_version(row), sherzod, reload_version(row).revision, KNOWN_CODES
            )
        except Refused:
            continue
        sent += 1
        definition = queries.version_definition(row)
        for first in range(12):  # each time another answer is preferred
            way = course.start_course(definition)
            while not course.is_possible_end(definition, way) and len(way) < 200:
                answers = definition.find_step(way[-1].step).answers
                by_chance = chance.randrange(len(answers))
                number = by_chance if len(way) < first else nearest_answer(definition, answers)
                way = course.answer_step(definition, way, number + 1)
            assert course.is_possible_end(definition, way), row.definition
            branched += any(len(script_step.answers) > 1 for script_step in definition.steps)
    assert sent >= 10
    assert branched


def edit_at_random(row, user, chance) -> None:
    """Perform one random edit; a refused edit changes nothing."""
    step_codes_now = step_codes(row)
    to = [
        step_codes_now[-1],
        *chance.choices(
            [*step_codes_now, *step_codes_now, *step_codes_now, "gone"], k=chance.randint(0, 2)
        ),
    ]
    entry = {
        "name": bilingual_text(chance.choice(("step", "savol"))),
        "said": bilingual_text("Gap"),
        "answers": [
            {"words": bilingual_text(f"Javob {n}"), "to": target} for n, target in enumerate(to)
        ],
        "ends": chance.random() < 0.4,
    }
    code = chance.choice([step_codes_now[0], *step_codes_now])
    edits = (
        lambda: editing.add_step(row, entry, user, row.revision),
        lambda: editing.change_step(row, code, entry, user, row.revision),
        lambda: editing.change_step(row, code, entry, user, row.revision),
        lambda: editing.move_step(row, code, chance.random() < 0.5, user, row.revision),
        lambda: editing.remove_step(row, code, user, row.revision),
    )
    with contextlib.suppress(Refused):
        chance.choice(edits)()


def nearest_answer(definition, answers) -> int:
    """The index of the answer that leads to an end in the fewest steps."""

    def steps_to_end(code: str) -> int:
        open_, steps = {code}, 0
        while open_ and not any(definition.find_step(step_code).ends for step_code in open_):
            open_ = {a.to for step_code in open_ for a in definition.find_step(step_code).answers}
            steps += 1
            if steps > len(definition.steps):
                return 999
        return steps

    return min(range(len(answers)), key=lambda number: steps_to_end(answers[number].to))


def test_the_course_is_linked_to_the_registered_form(nilufar, sherzod, bahodir, settings):
    version, call = publish_script(sherzod, bahodir), create_call()
    start_talk(nilufar, call)
    token = drafts.token_for(nilufar, call)
    runs.end_run(
        runs.open_step(runs.begin_run(nilufar, token, call, version, "uz"), 1, answer=1), "left"
    )
    call_form = call_forms.register({"surname": "X"}, operator=nilufar, token=token, tz=settings.tz)
    expected = [{"script": version.script.code, "version": 1, "result": "left", "step": "savol"}]
    assert runs.export_runs(runs.runs_of_registered_form(call_form)) == expected
    other_token = "f" * 32
    runs.begin_run(nilufar, other_token, None, version, "uz")
    [run] = runs.runs_of_registered_form(CallForm(operator=nilufar, token=other_token))
    assert run.step == "salom"
    assert runs.runs_of_registered_form(CallForm(operator=sherzod, token=other_token)) == []
