"""Changing a form without code: drafts, protected properties, versions and their differences."""

import datetime as dt

import pytest

from appliance.casework import catalogs, forms
from appliance.casework.appeals import prefill, registering
from appliance.casework.forms import checks, comparing, drafts, editing
from appliance.casework.forms.definition import definition_document
from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.models import AuditEntry, FormVersion
from tests.rig.appeals import FULL_FORM

FIELD_LABELS = {"uz_Latn": "Ish o'rni", "uz_Cyrl": "Иш ўрни", "ru": "Рабочее место"}
LIST_FIELD = {"kind": "list", "list": "group", "label": FIELD_LABELS}
ANSWER_OPTIONS = [
    {"uz_Latn": "Ha", "uz_Cyrl": "Ҳа", "ru": "Да"},
    {"uz_Latn": "Yoʻq", "uz_Cyrl": "Йўқ", "ru": "Нет"},
]


def pending_draft(form: str = forms.APPEAL_FORM) -> FormVersion:
    return editing.pending_version(form) or editing.begin_draft(form, "sherzod")


def draft_mark(form: str = forms.APPEAL_FORM) -> str:
    return editing.version_fingerprint(pending_draft(form))


def add_field(form: str = forms.APPEAL_FORM, **properties: object) -> str:
    return editing.add_field(form, LIST_FIELD | properties, draft_mark(form), "sherzod")


def release_draft(form: str = forms.APPEAL_FORM) -> FormVersion:
    return editing.publish_draft(form, None, draft_mark(form), "sherzod")


def draft_definition(form: str = forms.APPEAL_FORM) -> forms.Definition:
    return forms.versions.stored_definition(pending_draft(form))


def test_a_field_is_in_force_from_the_time_its_version_is_released(settings) -> None:
    name = add_field(required=True, topics=["subsidies"])
    assert name == "ish_orni"
    assert not forms.definition_in_force(forms.APPEAL_FORM).find_field(name)
    release_draft()
    field = forms.definition_in_force(forms.APPEAL_FORM).find_field(name)
    assert field
    assert field.label["uz_Latn"] == "Ish oʻrni"
    assert field.required
    assert field.topics == ("subsidies",)
    assert forms.definition_in_force(forms.APPEAL_FORM).version == 2
    assert not forms.numbered_definition(forms.APPEAL_FORM, 1).find_field(name)
    entries = AuditEntry.select().where(AuditEntry.action.startswith("form."))
    assert [(e.action, e.who, e.subject) for e in entries.order_by(AuditEntry.id)] == [
        (action, "sherzod", forms.APPEAL_FORM)
        for action in ("form.begin", "form.change", "form.put")
    ]


def test_a_planned_version_takes_effect_at_its_time_and_can_be_withdrawn(
    settings, monkeypatch
) -> None:
    name = add_field()
    later = clock.now() + dt.timedelta(days=2)
    editing.publish_draft(forms.APPEAL_FORM, later, draft_mark(), "sherzod")
    assert not forms.definition_in_force(forms.APPEAL_FORM).find_field(name)
    with pytest.raises(Refused, match="none"):
        add_field()  # it must be withdrawn first
    editing.withdraw_planned_version(forms.APPEAL_FORM, draft_mark(), "sherzod")
    editing.publish_draft(forms.APPEAL_FORM, later, draft_mark(), "sherzod")
    monkeypatch.setattr(clock, "now", lambda: later)
    assert forms.definition_in_force(forms.APPEAL_FORM).find_field(name)
    assert editing.pending_version(forms.APPEAL_FORM) is None


def test_a_version_with_a_past_time_or_without_changes_is_refused(settings) -> None:
    pending_draft()
    with pytest.raises(Refused, match="same"):
        release_draft()
    add_field()
    with pytest.raises(Refused, match="past"):
        editing.publish_draft(
            forms.APPEAL_FORM, clock.now() - dt.timedelta(hours=1), draft_mark(), "sherzod"
        )


def test_an_edit_based_on_an_outdated_draft_is_refused(settings) -> None:
    before = draft_mark()
    add_field()
    with pytest.raises(Refused, match="changed"):
        editing.add_field(forms.APPEAL_FORM, LIST_FIELD, before, "sherzod")
    with pytest.raises(Refused, match="changed"):
        editing.discard_draft(forms.APPEAL_FORM, before, "sherzod")


def test_a_form_has_at_most_one_pending_version(settings) -> None:
    pending_draft()
    with pytest.raises(Refused, match="pending"):
        editing.begin_draft(forms.APPEAL_FORM, "sherzod")
    editing.discard_draft(forms.APPEAL_FORM, draft_mark(), "sherzod")
    assert editing.begin_draft(forms.APPEAL_FORM, "sherzod").number == 2


def test_a_built_in_field_can_only_be_relabelled_moved_and_made_required(settings) -> None:
    words = {"label": FIELD_LABELS, "help": {"ru": "Подсказка"}, "required": True, "kind": "tick"}
    editing.change_field(forms.APPEAL_FORM, "employment", words, draft_mark(), "sherzod")
    field = draft_definition().find_field("employment")
    assert field
    assert (field.kind, field.list, field.label["ru"]) == ("list", "employment", FIELD_LABELS["ru"])
    assert field.localized_help("ru") == "Подсказка"
    editing.move_field(forms.APPEAL_FORM, "employment", False, draft_mark(), "sherzod")
    with pytest.raises(Refused, match="product"):
        editing.remove_field(forms.APPEAL_FORM, "employment", draft_mark(), "sherzod")
    with pytest.raises(Refused, match="star"):
        editing.change_field(
            forms.APPEAL_FORM, "region", words | {"required": False}, draft_mark(), "sherzod"
        )


def test_the_added_direction_is_printed_only_if_the_manager_wants_it(settings) -> None:
    direction = forms.product_definition(forms.APPEAL_FORM).find_field("direction")
    assert direction
    unprinted = [f.name for f in forms.product_definition("1").fields if f.screen_only]
    assert unprinted == ["direction"]
    words = {"label": dict(direction.label), "help": {}, "screen_only": False}
    editing.change_field(forms.APPEAL_FORM, "direction", words, draft_mark(), "sherzod")
    version = editing.publish_draft(forms.APPEAL_FORM, None, draft_mark(), "sherzod")
    field = forms.stored_definition(version).find_field("direction")
    assert field
    assert not field.screen_only
    assert forms.apply_product_release() == []  # the manager's choice stays at an update


@pytest.mark.parametrize("part", ["kind", "list", "options", "personal", "wide", "name", "most"])
def test_an_imported_form_cannot_change_built_in_properties(settings, part) -> None:
    document = definition_document(forms.product_definition(forms.APPEAL_FORM))
    entry = next(field for field in document["fields"] if field["name"] == "sex")
    entry[part] = {
        "kind": "text",
        "list": "group",
        "options": entry["options"][:1],
        "personal": True,
        "wide": 2,
        "name": "gender",
        "most": 7,
    }[part]
    with pytest.raises(Refused):
        editing.import_document(forms.APPEAL_FORM, document, "sherzod")
    assert editing.pending_version(forms.APPEAL_FORM) is None


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"label": {"ru": "Только"}}, "words"),
        ({"label": FIELD_LABELS | {"ru": "Д" * 81}}, "long"),
        ({"kind": "none"}, "kind"),
        ({"list": "nothing"}, "list"),
        ({"kind": "choice", "list": ""}, "list"),
        ({"kind": "choice", "list": "", "options": ANSWER_OPTIONS[:1]}, "options"),
        ({"kind": "choice", "list": "", "options": [*ANSWER_OPTIONS, {"uz_Latn": "x"}]}, "words"),
        ({"kind": "place", "list": "mahalla"}, "place"),
        ({"kind": "document", "document": "visa"}, "document"),
        ({"topics": ["no-such"]}, "topics"),
        ({"ministry": "gist"}, "ministry"),
        ({"ministry": "a b"}, "ministry"),
    ],
)
def test_an_invalid_field_is_refused_with_a_code_for_the_reason(settings, properties, code) -> None:
    before = draft_mark()
    with pytest.raises(Refused) as error:
        add_field(**properties)
    assert error.value.code == code
    assert draft_mark() == before


def test_names_are_derived_from_labels_and_never_reused(settings) -> None:
    assert add_field() == "ish_orni"
    assert add_field(forms.CALL_FORM) == "ish_orni_2"
    assert add_field(label=FIELD_LABELS | {"uz_Latn": "Holat"}) == "holat"
    assert add_field(label=FIELD_LABELS | {"uz_Latn": "Region"}) == "region_2"  # a built-in field
    # a column of the table
    assert add_field(label=FIELD_LABELS | {"uz_Latn": "State"}) == "state_2"
    assert add_field(label=FIELD_LABELS | {"uz_Latn": "2-son"}) == "f_2_son"
    assert add_field(label=FIELD_LABELS | {"uz_Latn": "«…»"}) == "field"


def test_a_released_field_keeps_its_kind_and_returns_under_its_name(settings) -> None:
    name = add_field(kind="choice", list="", options=ANSWER_OPTIONS)
    release_draft()
    with pytest.raises(Refused, match="kept"):
        editing.change_field(forms.APPEAL_FORM, name, LIST_FIELD, draft_mark(), "sherzod")
    editing.remove_field(forms.APPEAL_FORM, name, draft_mark(), "sherzod")
    release_draft()
    assert not forms.definition_in_force(forms.APPEAL_FORM).find_field(name)
    assert add_field() == f"{name}_2"
    editing.discard_draft(forms.APPEAL_FORM, draft_mark(), "sherzod")
    editing.begin_draft(forms.APPEAL_FORM, "sherzod", 2)
    release_draft()
    assert forms.definition_in_force(forms.APPEAL_FORM).find_field(
        name
    ) == forms.numbered_definition(forms.APPEAL_FORM, 2).find_field(name)


def test_properties_set_only_by_import_survive_an_edit_on_the_page(settings) -> None:
    document = definition_document(forms.product_definition(forms.CALL_FORM))
    wide = {"name": "plan", "kind": "text", "label": FIELD_LABELS, "wide": 2, "most": 500}
    document["fields"].append(wide)
    editing.import_document(forms.CALL_FORM, document, "sherzod")
    properties = {"kind": "text", "label": FIELD_LABELS, "required": True}
    editing.change_field(
        forms.CALL_FORM, "plan", properties, draft_mark(forms.CALL_FORM), "sherzod"
    )
    field = draft_definition(forms.CALL_FORM).find_field("plan")
    assert field
    assert (field.required, field.wide, field.most) == (True, 2, 500)


def test_a_released_personal_field_stays_personal(settings) -> None:
    name = add_field(personal=True)
    # nobody has filled it in yet
    editing.change_field(forms.APPEAL_FORM, name, LIST_FIELD, draft_mark(), "sherzod")
    editing.change_field(
        forms.APPEAL_FORM, name, LIST_FIELD | {"personal": True}, draft_mark(), "sherzod"
    )
    release_draft()
    with pytest.raises(Refused, match="personal"):
        editing.change_field(forms.APPEAL_FORM, name, LIST_FIELD, draft_mark(), "sherzod")


def test_answers_keep_their_codes_when_reworded(settings) -> None:
    name = add_field(kind="choice", list="", options=[*ANSWER_OPTIONS, ANSWER_OPTIONS[0]])
    field = draft_definition().find_field(name)
    assert field
    assert [option.code for option in field.options] == ["ha", "yoq", "ha_2"]
    options = [{"code": "ha"} | ANSWER_OPTIONS[1], ANSWER_OPTIONS[0]]
    properties = LIST_FIELD | {"kind": "choice", "list": "", "options": options}
    editing.change_field(forms.APPEAL_FORM, name, properties, draft_mark(), "sherzod")
    field = draft_definition().find_field(name)
    assert field
    assert [(o.code, o.words["ru"]) for o in field.options] == [("ha", "Нет"), ("ha_2", "Да")]


def test_an_identity_document_is_personal_and_never_exported_in_bulk(settings) -> None:
    name = add_field(kind="document", document="pinfl")
    field = draft_definition().find_field(name)
    assert field
    assert field.personal
    assert not field.exported


def test_two_versions_are_compared_field_by_field(settings) -> None:
    name = add_field()
    editing.move_field(forms.APPEAL_FORM, "gist", False, draft_mark(), "sherzod")
    words = {"label": FIELD_LABELS, "help": {}, "required": True}
    editing.change_field(forms.APPEAL_FORM, "region", words, draft_mark(), "sherzod")
    changes = comparing.field_changes(
        forms.definition_in_force(forms.APPEAL_FORM), draft_definition()
    )
    assert {
        (c.kind, (c.after or c.before).name, c.parts) for c in changes if c.kind != "moved"
    } == {
        ("added", name, ()),
        ("changed", "region", ("label",)),
    }
    assert len([c for c in changes if c.kind == "moved"]) == 1
    reverse_changes = comparing.field_changes(
        draft_definition(), forms.definition_in_force(forms.APPEAL_FORM)
    )
    assert [c.before.name for c in reverse_changes if c.kind == "removed" and c.before] == [name]


def test_an_old_registration_is_shown_with_the_version_it_was_filled_in(settings, nilufar) -> None:
    name = add_field(topics=["subsidies"])
    release_draft()
    values = FULL_FORM | {"direction": "subsidies", f"{name}_text": "Yoshlar"}
    token = drafts.token_for(nilufar, None)
    appeal = registering.register(values, operator=nilufar, token=token, tz=settings.tz)
    assert appeal.form_version == 2
    code = catalogs.code_by_name("group", "Yoshlar")
    assert appeal.extra == {name: {"code": code or "", "text": "" if code else "Yoshlar"}}
    editing.remove_field(forms.APPEAL_FORM, name, draft_mark(), "sherzod")
    release_draft()
    assert forms.numbered_definition(forms.APPEAL_FORM, appeal.form_version).find_field(name)
    # for pages that still show it
    assert forms.latest_field(name).localized_label("ru") == FIELD_LABELS["ru"]
    assert prefill.form_values(appeal)[name] == code or "Yoshlar"


def test_no_label_produces_a_reserved_name(settings) -> None:
    assert not checks.RESERVED_NAMES & {
        checks.available_name(name, checks.unavailable_names()) for name in checks.RESERVED_NAMES
    }
