"""Scripts are written, approved, put in force, chosen for a call and followed in it."""

import contextlib
import datetime as dt
import random

import pytest

from appliance.casework import appeals, call_forms, catalogs, forms, versions
from appliance.casework.scripts import checks, course, editing, queries, runs, seeding
from appliance.casework.scripts.definition import DefinitionError, parse
from appliance.casework.versions import VersionError
from appliance.core import clock, i18n
from appliance.models import (
    AuditEntry,
    CallForm,
    Script,
    ScriptStep,
    ScriptVersion,
    SearchEntry,
)
from tests.casework.test_appeals import a_call, speaks
from tests.rig.scripts import KNOWN, decided, document, in_force, step, words

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def later(monkeypatch):
    """Let so many minutes pass."""
    began = clock.now()

    def later(minutes: float) -> None:
        now = began + dt.timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "now", lambda: now)

    return later


def codes(row) -> list[str]:
    return [one.code for one in queries.definition_of(fresh(row)).steps]


def fresh(row) -> ScriptVersion:
    return ScriptVersion.get_by_id(row.id)


def test_a_draft_is_written_step_by_step(sherzod):
    row = editing.add({"uz": "Yangi suhbat", "ru": ""}, sherzod)
    assert row.script.code == "yangi-suhbat"
    entry = {"name": words("Savol"), "said": words("Qanday savol?"), "ends": True}
    code = editing.add_step(row, entry, sherzod, row.revision)
    row = fresh(row)
    editing.change_step(row, "1", step("1", code), sherzod, row.revision)
    row = fresh(row)
    editing.describe(row, words("Suhbat"), {"languages": ["uz"]}, sherzod, row.revision)
    row = fresh(row)
    assert codes(row) == ["1", "savol"]
    editing.move_step(row, "savol", False, sherzod, row.revision)
    row = fresh(row)
    assert codes(row) == ["savol", "1"]
    editing.remove_step(row, "1", sherzod, row.revision)
    row = fresh(row)
    assert codes(row) == ["savol"]
    with pytest.raises(DefinitionError, match="steps"):
        editing.remove_step(row, "savol", sherzod, row.revision)
    with pytest.raises(VersionError, match="changed"):
        editing.move_step(row, "savol", True, sherzod, row.revision - 1)
    with pytest.raises(editing.ScriptError, match="step"):
        editing.change_step(row, "gone", entry, sherzod, row.revision)
    with pytest.raises(editing.ScriptError, match="name"):
        editing.add_step(row, entry | {"name": {"uz": " "}}, sherzod, row.revision)
    told = [one.action for one in AuditEntry.select().order_by(AuditEntry.id)]
    assert told.count("script.change") == 5
    editing.discard(row, sherzod, row.revision)
    assert not Script.select().exists()


def test_only_the_manager_writes_and_only_the_ministry_approves(sherzod, bahodir, nilufar):
    for user in (bahodir, nilufar):
        with pytest.raises(VersionError, match="action"):
            editing.add(words("Suhbat"), user)
    row = editing.put_in(parse(document()), sherzod)
    row = editing.do("send", row, sherzod, row.revision, KNOWN)
    with pytest.raises(VersionError, match="action"):
        editing.do("approve", row, sherzod, row.revision, KNOWN)
    row = editing.do("return", row, bahodir, row.revision, KNOWN, "Qisqaroq")
    assert (versions.standing(row), row.words) == ("returned", "Qisqaroq")


def test_what_is_wrong_is_not_sent_to_the_ministry(sherzod):
    lost = document(step("a", "b"), step("b", "a"))
    row = editing.put_in(parse(lost), sherzod)
    with pytest.raises(editing.ScriptError, match="wrong"):
        editing.do("send", row, sherzod, row.revision, KNOWN)
    assert fresh(row).state == "draft"


def test_a_new_version_takes_the_place_of_the_one_in_force(sherzod, bahodir, later):
    first = in_force(sherzod, bahodir)
    later(1)
    row = editing.begin(first.script, sherzod)
    with pytest.raises(VersionError, match="pending"):
        editing.begin(first.script, sherzod)
    editing.remove_step(row, "xato", sherzod, row.revision)
    row = fresh(row)
    entry = step("savol", "rahmat")
    editing.change_step(row, "savol", entry, sherzod, row.revision)
    row = decided(fresh(row), sherzod, bahodir)
    assert [one.number for one in queries.in_force()] == [1]
    since = clock.now() + dt.timedelta(hours=1)
    row = editing.do("put", row, sherzod, row.revision, KNOWN, since=since)
    assert [one.number for one in queries.in_force()] == [1]
    later(62)
    assert [one.number for one in queries.in_force()] == [2]
    assert [one.number for one in queries.in_force(since - dt.timedelta(minutes=1))] == [1]
    found = queries.find(first.script.code)
    assert (found.in_force.number, found.to_come) == (2, None)
    assert [one.number for one in queries.found("salomlashsh", 5)] == [2]
    assert queries.found("hech narsa", 5) == []
    row = found.in_force
    editing.do("retire", row, sherzod, row.revision, KNOWN)
    assert not SearchEntry.select().exists()


def test_the_call_decides_which_script_is_taken(settings, sherzod, bahodir):
    everything = in_force(sherzod, bahodir)
    back = in_force(sherzod, bahodir, document(title="Qayta", kinds=["callback"]))
    topic = in_force(sherzod, bahodir, document(title="Subsidiya", topics=["subsidies"]))
    calendar = catalogs.working_calendar(settings)

    call = a_call()
    call.arrived_at = clock.now()

    def taken(direction: str = "") -> int:
        return queries.fitting(queries.situation(call, direction, calendar))[0].id

    assert taken() == everything.id
    assert taken("subsidies") == topic.id
    call.topic = "subsidies"
    assert taken() == topic.id
    call.topic, call.direction, call.reason = None, "outbound", "follow_up"
    assert taken() == back.id
    call.reason = "page"
    assert queries.situation(call, "", calendar).kind == "follow_up"
    assert taken() == everything.id
    assert queries.situation(None, "", calendar).number == ""


def test_a_call_keeps_its_version_and_what_was_said_in_it(nilufar, sherzod, bahodir, later):
    later(0)
    version, call = in_force(sherzod, bahodir), a_call()
    run = runs.begin(nilufar, "t", call, version, "uz")
    later(1)
    run = runs.go(run, 1, answer=1)
    later(2)
    second = editing.begin(version.script, sherzod)
    editing.change_step(second, "salom", step("salom", "xato"), sherzod, second.revision)
    second = fresh(second)
    editing.remove_step(second, "savol", sherzod, second.revision)
    second = fresh(second)
    editing.remove_step(second, "rahmat", sherzod, second.revision)
    second = decided(fresh(second), sherzod, bahodir)
    editing.do("put", second, sherzod, second.revision, KNOWN)
    run = runs.of_form(nilufar, "another", call)
    assert (run.row.version_id, run.step) == (version.id, "savol")
    run = runs.go(run, 2, answer=1)
    run = runs.go(run, 3, back=True)
    run = runs.go(run, 4, to="rahmat")
    assert [one.how for one in run.course] == ["begin", "answer", "answer", "back", "jump"]
    assert [one.answer for one in run.course] == [1, 1, 0, 0, 0]
    later(3)
    runs.end(run, "finished")
    kept = runs.of_call(call.id)[0]
    assert (kept.row.result, kept.row.step) == ("finished", "rahmat")
    assert kept.seconds()[0][0] == "salom"
    assert kept.seconds()[0][1] == pytest.approx(60)


def test_leaving_a_script_loses_nothing(nilufar, sherzod, bahodir):
    version = in_force(sherzod, bahodir)
    run = runs.begin(nilufar, "f" * 32, None, version, "ru")
    run = runs.go(run, 1, answer=1)
    with pytest.raises(runs.RunError, match="result"):
        runs.end(run, "finished")
    runs.end(run, "left")
    left = runs.of_form(nilufar, "f" * 32, None)
    assert (left.is_open, left.row.result, left.step) == (False, "left", "savol")
    with pytest.raises(runs.RunError, match="none"):
        runs.go(left, 2, answer=1)
    runs.resume(left)
    assert runs.go(left, 2, answer=2).step == "xato"


def test_a_key_pressed_twice_counts_once(nilufar, sherzod, bahodir):
    version, call = in_force(sherzod, bahodir), a_call()
    run = runs.begin(nilufar, "t", call, version, "uz")
    assert runs.begin(nilufar, "t", call, version, "uz").row.id == run.row.id
    runs.go(run, 1, answer=1)
    with pytest.raises(runs.RunError, match="changed"):
        runs.go(run, 1, answer=1)
    with pytest.raises(course.CourseError, match="answer"):
        runs.go(run, 2, answer=3)
    assert ScriptStep.select().count() == 2


def test_another_script_leaves_the_first_one_where_it_was(nilufar, sherzod, bahodir):
    one, other = in_force(sherzod, bahodir), in_force(sherzod, bahodir, document(title="Qayta"))
    call = a_call()
    runs.begin(nilufar, "t", call, one, "uz")
    runs.begin(nilufar, "t", call, other, "uz")
    assert [(r.row.version_id, r.row.result) for r in runs.of_call(call.id)] == [
        (one.id, "left"),
        (other.id, ""),
    ]
    with pytest.raises(runs.RunError, match="language"):
        runs.begin(nilufar, "t", call, one, "en")


def test_the_products_script_is_a_sound_draft_that_comes_once(sherzod):
    assert seeding.seed()
    assert not seeding.seed()
    row = ScriptVersion.get()
    assert versions.standing(row) == "draft"
    assert queries.in_force() == []
    fields = {field.name for form in forms.FORMS for field in forms.in_force(form).fields}
    made = queries.definition_of(row)
    assert checks.findings(made, checks.Known(fields)) == []
    assert all(i18n.written_in(text, "Latn") for step in made.steps
               for _what, words in step.texts() for text in [words.get("uz", "")])  # fmt: skip
    editing.discard(row, sherzod, row.revision)
    assert not seeding.seed()
    assert queries.find(row.script.code) is None


def test_a_text_goes_into_the_script_that_is_chosen(sherzod, bahodir):
    first = in_force(sherzod, bahodir)
    text = parse({
        "title": words("Fayl"),
        "steps": [
            step("1", "2", name=words("Qadam salom"), said=words("Yangi salom")),
            step("2", "3", name=words("Yangi qadam")),
            step("3", name=words("Qadam savol"), said=words("Yangi savol"), answers=[{"to": "4"}]),
            step("4", name=words("Oxiri")),
        ],
    })  # fmt: skip
    row = editing.take_in(first.script, text, sherzod, first.revision)
    made = queries.definition_of(fresh(row))
    assert (row.number, made.title, made.when) == (2, words("Salomlashish"), parse(document()).when)
    assert codes(row) == ["salom", "1", "savol", "2"]
    assert made.steps[0].said == words("Yangi salom")
    assert [one.to for one in made.steps[0].answers] == ["savol"]  # as it was drawn by hand
    savol = made.step("savol")
    assert (savol.fields, savol.said) == (("surname", "direction"), words("Yangi savol"))
    assert [one.to for one in savol.answers] == ["rahmat", "xato"]
    with pytest.raises(VersionError, match="changed"):
        editing.take_in(first.script, text, sherzod, row.revision - 1)
    again = editing.take_in(first.script, text, sherzod, row.revision)
    assert (again.id, codes(again)) == (row.id, ["salom", "1", "savol", "2"])
    assert ScriptVersion.select().count() == 2
    row = editing.put_in(parse(document()), sherzod)
    sent = editing.do("send", row, sherzod, row.revision, KNOWN)
    with pytest.raises(VersionError, match="pending"):
        editing.take_in(sent.script, text, sherzod, sent.revision)


def test_whatever_the_editor_lets_through_can_be_walked_to_an_end(sherzod):
    """Scripts written by chance: what can be sent leads from its beginning to an end."""
    chance, sent, branched = random.Random(18), 0, 0  # noqa: S311  # no secret
    for _number in range(60):
        row = editing.add(words("Suhbat"), sherzod)
        for _edit in range(chance.randint(2, 9)):
            edit_by_chance(fresh(row), sherzod, chance)
        try:
            row = editing.do("send", fresh(row), sherzod, fresh(row).revision, KNOWN)
        except editing.ScriptError:
            continue
        sent += 1
        made = queries.definition_of(row)
        for first in range(12):  # each time another answer is preferred
            gone = course.begun(made)
            while not course.is_end(made, gone) and len(gone) < 200:
                answers = made.step(gone[-1].step).answers
                by_chance = chance.randrange(len(answers))
                number = by_chance if len(gone) < first else nearest(made, answers)
                gone = course.answered(made, gone, number + 1)
            assert course.is_end(made, gone), row.definition
            branched += any(len(one.answers) > 1 for one in made.steps)
    assert sent >= 10
    assert branched


def edit_by_chance(row, user, chance) -> None:
    """One edit of the many; one that is refused changes nothing."""
    there = codes(row)
    to = [there[-1], *chance.choices([*there, *there, *there, "gone"], k=chance.randint(0, 2))]
    entry = {
        "name": words(chance.choice(("step", "savol"))),
        "said": words("Gap"),
        "answers": [{"words": words(f"Javob {n}"), "to": one} for n, one in enumerate(to)],
        "ends": chance.random() < 0.4,
    }
    code = chance.choice([there[0], *there])
    edits = (
        lambda: editing.add_step(row, entry, user, row.revision),
        lambda: editing.change_step(row, code, entry, user, row.revision),
        lambda: editing.change_step(row, code, entry, user, row.revision),
        lambda: editing.move_step(row, code, chance.random() < 0.5, user, row.revision),
        lambda: editing.remove_step(row, code, user, row.revision),
    )
    with contextlib.suppress(editing.ScriptError, DefinitionError, VersionError):
        chance.choice(edits)()


def nearest(made, answers) -> int:
    """Which of the answers leads to an end by the fewest steps."""

    def far(code: str) -> int:
        open_, steps = {code}, 0
        while open_ and not any(made.step(one).ends for one in open_):
            open_ = {a.to for one in open_ for a in made.step(one).answers}
            steps += 1
            if steps > len(made.steps):
                return 999
        return steps

    return min(range(len(answers)), key=lambda number: far(answers[number].to))


def test_what_was_followed_goes_with_the_registered_form(nilufar, sherzod, bahodir, settings):
    version, call = in_force(sherzod, bahodir), a_call()
    speaks(nilufar, call)
    token = appeals.token_for(nilufar, call)
    runs.end(runs.go(runs.begin(nilufar, token, call, version, "uz"), 1, answer=1), "left")
    made = call_forms.register({"surname": "X"}, operator=nilufar, token=token, tz=settings.tz)
    told = [{"script": version.script.code, "version": 1, "result": "left", "step": "savol"}]
    assert runs.exported(runs.of_form_kept(made)) == told
    alone = "f" * 32
    runs.begin(nilufar, alone, None, version, "uz")
    [run] = runs.of_form_kept(CallForm(operator=nilufar, token=alone))
    assert run.step == "salom"
    assert runs.of_form_kept(CallForm(operator=sherzod, token=alone)) == []
