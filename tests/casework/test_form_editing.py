"""Changing a form without code: drafts, what may not be changed, versions and their differences."""

import datetime as dt

import pytest

from appliance.casework import appeals, catalogs, forms
from appliance.casework.forms import checks, comparing, editing
from appliance.casework.forms.definition import DefinitionError, document_of
from appliance.core import clock
from appliance.models import AuditEntry, FormVersion
from tests.casework.test_appeals import FULL

WORDS = {"uz_Latn": "Ish o'rni", "uz_Cyrl": "Иш ўрни", "ru": "Рабочее место"}
LISTED = {"kind": "list", "list": "group", "label": WORDS}
ANSWERS = [
    {"uz_Latn": "Ha", "uz_Cyrl": "Ҳа", "ru": "Да"},
    {"uz_Latn": "Yoʻq", "uz_Cyrl": "Йўқ", "ru": "Нет"},
]


def draft(form: str = forms.APPEAL) -> FormVersion:
    return editing.pending(form) or editing.begin(form, "sherzod")


def seen(form: str = forms.APPEAL) -> str:
    return editing.mark(draft(form))


def add(form: str = forms.APPEAL, **wanted: object) -> str:
    return editing.add(form, LISTED | wanted, seen(form), "sherzod")


def put(form: str = forms.APPEAL) -> FormVersion:
    return editing.put_in_force(form, None, seen(form), "sherzod")


def shown(form: str = forms.APPEAL) -> forms.Definition:
    return forms.versions.definition_of(draft(form))


def test_a_field_is_in_force_from_the_moment_it_is_put(settings) -> None:
    name = add(required=True, topics=["subsidies"])
    assert name == "ish_orni"
    assert not forms.in_force(forms.APPEAL).field(name)
    put()
    field = forms.in_force(forms.APPEAL).field(name)
    assert field
    assert field.label["uz_Latn"] == "Ish oʻrni"
    assert field.required
    assert field.topics == ("subsidies",)
    assert forms.in_force(forms.APPEAL).version == 2
    assert not forms.of(forms.APPEAL, 1).field(name)
    told = AuditEntry.select().where(AuditEntry.action.startswith("form."))
    assert [(e.action, e.who, e.subject) for e in told.order_by(AuditEntry.id)] == [
        (action, "sherzod", forms.APPEAL) for action in ("form.begin", "form.change", "form.put")
    ]


def test_a_planned_version_waits_for_its_moment_and_can_be_withdrawn(settings, monkeypatch) -> None:
    name = add()
    later = clock.now() + dt.timedelta(days=2)
    editing.put_in_force(forms.APPEAL, later, seen(), "sherzod")
    assert not forms.in_force(forms.APPEAL).field(name)
    with pytest.raises(editing.EditingError, match="none"):
        add()  # first it is withdrawn
    editing.withdraw(forms.APPEAL, seen(), "sherzod")
    editing.put_in_force(forms.APPEAL, later, seen(), "sherzod")
    monkeypatch.setattr(clock, "now", lambda: later)
    assert forms.in_force(forms.APPEAL).field(name)
    assert editing.pending(forms.APPEAL) is None


def test_no_moment_that_is_past_and_no_version_that_changes_nothing(settings) -> None:
    draft()
    with pytest.raises(editing.EditingError, match="same"):
        put()
    add()
    with pytest.raises(editing.EditingError, match="past"):
        editing.put_in_force(forms.APPEAL, clock.now() - dt.timedelta(hours=1), seen(), "sherzod")


def test_who_saw_another_draft_changes_nothing(settings) -> None:
    before = seen()
    add()
    with pytest.raises(editing.EditingError, match="changed"):
        editing.add(forms.APPEAL, LISTED, before, "sherzod")
    with pytest.raises(editing.EditingError, match="changed"):
        editing.discard(forms.APPEAL, before, "sherzod")


def test_one_version_to_come_is_enough(settings) -> None:
    draft()
    with pytest.raises(editing.EditingError, match="pending"):
        editing.begin(forms.APPEAL, "sherzod")
    editing.discard(forms.APPEAL, seen(), "sherzod")
    assert editing.begin(forms.APPEAL, "sherzod").number == 2


def test_a_field_of_the_product_is_labelled_ordered_and_starred_only(settings) -> None:
    words = {"label": WORDS, "help": {"ru": "Подсказка"}, "required": True, "kind": "tick"}
    editing.change(forms.APPEAL, "employment", words, seen(), "sherzod")
    field = shown().field("employment")
    assert field
    assert (field.kind, field.list, field.label["ru"]) == ("list", "employment", WORDS["ru"])
    assert field.helped("ru") == "Подсказка"
    editing.move(forms.APPEAL, "employment", False, seen(), "sherzod")
    with pytest.raises(editing.EditingError, match="product"):
        editing.remove(forms.APPEAL, "employment", seen(), "sherzod")
    with pytest.raises(DefinitionError, match="star"):
        editing.change(forms.APPEAL, "region", words | {"required": False}, seen(), "sherzod")


@pytest.mark.parametrize("part", ["kind", "list", "options", "personal", "wide", "name", "most"])
def test_an_imported_form_keeps_what_the_product_brings(settings, part) -> None:
    document = document_of(forms.product(forms.APPEAL))
    entry = next(one for one in document["fields"] if one["name"] == "sex")
    entry[part] = {
        "kind": "text",
        "list": "group",
        "options": entry["options"][:1],
        "personal": True,
        "wide": 2,
        "name": "gender",
        "most": 7,
    }[part]
    with pytest.raises(DefinitionError):
        editing.import_document(forms.APPEAL, document, "sherzod")
    assert editing.pending(forms.APPEAL) is None


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"label": {"ru": "Только"}}, "words"),
        ({"label": WORDS | {"ru": "Д" * 81}}, "long"),
        ({"kind": "none"}, "kind"),
        ({"list": "nothing"}, "list"),
        ({"kind": "choice", "list": ""}, "list"),
        ({"kind": "choice", "list": "", "options": ANSWERS[:1]}, "options"),
        ({"kind": "choice", "list": "", "options": [*ANSWERS, {"uz_Latn": "x"}]}, "words"),
        ({"kind": "place", "list": "mahalla"}, "place"),
        ({"kind": "document", "document": "visa"}, "document"),
        ({"topics": ["no-such"]}, "topics"),
        ({"ministry": "gist"}, "ministry"),
        ({"ministry": "a b"}, "ministry"),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_name_of_the_trouble(settings, wanted, code) -> None:
    before = seen()
    with pytest.raises(DefinitionError) as refused:
        add(**wanted)
    assert refused.value.code == code
    assert seen() == before


def test_names_are_made_of_labels_and_never_given_twice(settings) -> None:
    assert add() == "ish_orni"
    assert add(forms.CALL) == "ish_orni_2"
    assert add(label=WORDS | {"uz_Latn": "Holat"}) == "holat"
    assert add(label=WORDS | {"uz_Latn": "Region"}) == "region_2"  # the product's own
    assert add(label=WORDS | {"uz_Latn": "State"}) == "state_2"  # a column of the table
    assert add(label=WORDS | {"uz_Latn": "2-son"}) == "f_2_son"
    assert add(label=WORDS | {"uz_Latn": "«…»"}) == "field"


def test_a_field_once_in_force_keeps_its_kind_and_comes_back_by_its_name(settings) -> None:
    name = add(kind="choice", list="", options=ANSWERS)
    put()
    with pytest.raises(DefinitionError, match="kept"):
        editing.change(forms.APPEAL, name, LISTED, seen(), "sherzod")
    editing.remove(forms.APPEAL, name, seen(), "sherzod")
    put()
    assert not forms.in_force(forms.APPEAL).field(name)
    assert add() == f"{name}_2"
    editing.discard(forms.APPEAL, seen(), "sherzod")
    editing.begin(forms.APPEAL, "sherzod", 2)
    put()
    assert forms.in_force(forms.APPEAL).field(name) == forms.of(forms.APPEAL, 2).field(name)


def test_what_only_a_file_says_of_a_field_outlives_the_page(settings) -> None:
    document = document_of(forms.product(forms.CALL))
    wide = {"name": "plan", "kind": "text", "label": WORDS, "wide": 2, "most": 500}
    document["fields"].append(wide)
    editing.import_document(forms.CALL, document, "sherzod")
    wanted = {"kind": "text", "label": WORDS, "required": True}
    editing.change(forms.CALL, "plan", wanted, seen(forms.CALL), "sherzod")
    field = shown(forms.CALL).field("plan")
    assert field
    assert (field.required, field.wide, field.most) == (True, 2, 500)


def test_what_was_personal_stays_so(settings) -> None:
    name = add(personal=True)
    editing.change(forms.APPEAL, name, LISTED, seen(), "sherzod")  # nobody has filled it in yet
    editing.change(forms.APPEAL, name, LISTED | {"personal": True}, seen(), "sherzod")
    put()
    with pytest.raises(DefinitionError, match="personal"):
        editing.change(forms.APPEAL, name, LISTED, seen(), "sherzod")


def test_answers_keep_their_codes_when_they_are_worded_anew(settings) -> None:
    name = add(kind="choice", list="", options=[*ANSWERS, ANSWERS[0]])
    field = shown().field(name)
    assert field
    assert [option.code for option in field.options] == ["ha", "yoq", "ha_2"]
    options = [{"code": "ha"} | ANSWERS[1], ANSWERS[0]]
    wanted = LISTED | {"kind": "choice", "list": "", "options": options}
    editing.change(forms.APPEAL, name, wanted, seen(), "sherzod")
    field = shown().field(name)
    assert field
    assert [(o.code, o.words["ru"]) for o in field.options] == [("ha", "Нет"), ("ha_2", "Да")]


def test_who_a_document_belongs_to_is_personal_and_never_leaves_in_bulk(settings) -> None:
    name = add(kind="document", document="pinfl")
    field = shown().field(name)
    assert field
    assert field.personal
    assert not field.exported


def test_two_versions_are_compared_field_by_field(settings) -> None:
    name = add()
    editing.move(forms.APPEAL, "gist", False, seen(), "sherzod")
    words = {"label": WORDS, "help": {}, "required": True}
    editing.change(forms.APPEAL, "region", words, seen(), "sherzod")
    there = comparing.changes(forms.in_force(forms.APPEAL), shown())
    assert {(c.kind, (c.after or c.before).name, c.parts) for c in there if c.kind != "moved"} == {
        ("added", name, ()),
        ("changed", "region", ("label",)),
    }
    assert len([c for c in there if c.kind == "moved"]) == 1
    back = comparing.changes(shown(), forms.in_force(forms.APPEAL))
    assert [c.before.name for c in back if c.kind == "removed" and c.before] == [name]


def test_an_old_registration_shows_the_form_it_was_written_in(settings, nilufar) -> None:
    name = add(topics=["subsidies"])
    put()
    values = FULL | {"direction": "subsidies", f"{name}_text": "Yoshlar"}
    token = appeals.token_for(nilufar, None)
    made = appeals.register(values, operator=nilufar, token=token, tz=settings.tz)
    assert made.form_version == 2
    code = catalogs.code_of("group", "Yoshlar")
    assert made.extra == {name: {"code": code or "", "text": "" if code else "Yoshlar"}}
    editing.remove(forms.APPEAL, name, seen(), "sherzod")
    put()
    assert forms.of(forms.APPEAL, made.form_version).field(name)
    assert forms.field_of(name).called("ru") == WORDS["ru"]  # for what tells of it still
    assert appeals.values_of(made)[name] == code or "Yoshlar"


def test_every_reserved_name_is_one_that_a_label_cannot_make(settings) -> None:
    assert not checks.RESERVED & {checks.free(name, checks.taken()) for name in checks.RESERVED}
