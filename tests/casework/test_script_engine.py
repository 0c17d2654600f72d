"""Scripts: valid documents, findings, stepping through a script, selection, drawing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework.scripts import checks, choosing, comparing, course, graph, texts
from appliance.casework.scripts.definition import (
    Definition,
    ScriptConditions,
    definition_document,
    parse_definition,
)
from appliance.core.refusals import Refused

KNOWN = checks.AvailableReferences(
    fields=("surname", "gist"),
    numbers=("1272",),
    topics=("subsidies",),
    refs={"article": ("subsidiya",), "sms": ("1",), "department": ("legal",), "employee": ("7",)},
)


def both_languages(text):
    return {"uz": text, "ru": text}


def step_entry(code, *targets, **more):
    answers = [
        {"words": both_languages(f"{code}-{number}"), "to": target}
        for number, target in enumerate(targets)
    ]
    entry = {
        "code": code,
        "name": both_languages(code),
        "said": both_languages(f"said {code}"),
        "answers": answers,
    }
    return entry | {"ends": not targets} | more


def parse_script(*steps, **conditions):
    return parse_definition(
        {"title": both_languages("First"), "when": conditions, "steps": [*steps]}
    )


def finding_codes(definition, names=KNOWN):
    return [(finding.code, finding.step) for finding in checks.script_findings(definition, names)]


def test_a_script_is_read_back_unchanged():
    definition = parse_script(
        step_entry("hello", "ask", "bye", fields=["surname"], note=both_languages("Slowly")),
        step_entry("ask", "hello", actions=[{"kind": "article", "ref": "subsidiya"}]),
        step_entry("bye"),
        topics=["subsidies"],
        languages=["ru"],
        hours="open",
        kinds=["callback"],
    )
    assert parse_definition(definition_document(definition)) == definition
    assert finding_codes(definition) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"steps": []}, "steps"),
        ({"steps": "no"}, "steps"),
        ({"steps": [step_entry("a"), step_entry("a")]}, "twice"),
        ({"steps": [step_entry("A b")]}, "code"),
        ({"steps": [step_entry("a", said={"en": "Hello"})]}, "words"),
        ({"steps": [step_entry("a", said=both_languages("x" * 2001))]}, "long"),
        ({"steps": [step_entry("a", *"abcdefghij")]}, "answers"),
        ({"steps": [step_entry("a", actions=[{"kind": "shell", "ref": "rm"}])]}, "action"),
        ({"steps": [step_entry("a") | {"script": "x"}]}, "unknown"),
        ({"when": {"hours": "night"}}, "when"),
        ({"when": {"languages": ["en"]}}, "when"),
        ({"title": "First"}, "words"),
    ],
)
def test_an_invalid_document_is_refused(changed, code):
    document = {"title": both_languages("First"), "when": {}, "steps": [step_entry("a")]} | changed
    with pytest.raises(Refused) as error:
        parse_definition(document)
    assert error.value.code == code


def test_a_valid_script_has_no_findings():
    definition = parse_script(
        step_entry("a", "b", "c", fields=["surname"], said=both_languages("Salom, {name}!")),
        step_entry("b", "a", "c", actions=[{"kind": "specialist"}, {"kind": "sms", "ref": "1"}]),
        step_entry("c"),
        numbers=["1272"],
    )
    assert finding_codes(definition) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([step_entry("a"), step_entry("b")], [("unreachable", "b")]),
        ([step_entry("a", "b"), step_entry("b", ends=False)], [("dead_end", "b")]),
        ([step_entry("a", "gone")], [("target", "a")]),
        ([step_entry("a", "b"), step_entry("b", "a")], [("loop", "a"), ("loop", "b")]),
        ([step_entry("a", "a")], [("loop", "a")]),
        ([step_entry("a", said={"uz": "Salom"})], [("said", "a")]),
        ([step_entry("a", note={"uz": "Sekin"})], [("note", "a")]),
        ([step_entry("a", fields=["shoe_size"])], [("field", "a")]),
        ([step_entry("a", actions=[{"kind": "article", "ref": "gone"}])], [("article", "a")]),
        ([step_entry("a", actions=[{"kind": "sms", "ref": "2"}])], [("sms", "a")]),
        ([step_entry("a", actions=[{"kind": "department", "ref": "x"}])], [("department", "a")]),
        ([step_entry("a", actions=[{"kind": "employee", "ref": "8"}])], [("employee", "a")]),
        ([step_entry("a", said=both_languages("Salom {pinfl}"))], [("word", "a"), ("word", "a")]),
        ([step_entry("a", said=both_languages("Salom {name"))], [("word", "a"), ("word", "a")]),
    ],
)
def test_each_fault_is_found_at_its_step(steps, expected):
    assert finding_codes(parse_script(*steps)) == expected


def test_a_script_for_one_language_needs_only_that_language():
    only = step_entry("a") | {"said": {"ru": "Здравствуйте"}}
    assert finding_codes(parse_script(only, languages=["ru"])) == []
    assert finding_codes(parse_script(only)) == [("said", "a")]


def test_conditions_must_exist_on_the_site():
    definition = parse_script(step_entry("a"), numbers=["1000"], topics=["weather"])
    assert [
        (finding.code, finding.detail) for finding in checks.script_findings(definition, KNOWN)
    ] == [
        ("number", "1000"),
        ("topic", "weather"),
    ]


@st.composite
def script_graphs(draw):
    size = draw(st.integers(1, 12))
    codes = [f"s{number}" for number in range(size)]
    target = st.sampled_from([*codes, "gone"])
    steps = [
        step_entry(code, *draw(st.lists(target, max_size=4)), ends=draw(st.booleans()))
        for code in codes
    ]
    return parse_script(*steps)


@given(script_graphs(), st.lists(st.integers(0, 8), max_size=30))
def test_in_a_script_without_findings_an_end_is_reachable_from_any_step(definition, choices):
    """Whatever steps, jumps and returns came before, an end can be reached."""
    if checks.script_findings(definition, KNOWN):
        return
    way = course.start_course(definition)
    for choice in choices:  # an operator who moves at random
        answers = len(definition.find_step(way[-1].step).answers)
        if choice == 0:
            way = course.step_back(definition, way)
        elif choice == 8:
            way = course.jump_to_step(definition, way, definition.steps[-1].code)
        elif answers:
            way = course.answer_step(definition, way, choice % answers + 1)
        assert all(definition.find_step(code) for code in course.active_path(way))
    before = {way[-1].step: way}
    while not any(course.is_possible_end(definition, way_there) for way_there in before.values()):
        grown = dict(before)
        for way_there in before.values():
            for number in range(1, len(definition.find_step(way_there[-1].step).answers) + 1):
                after = course.answer_step(definition, way_there, number)
                grown.setdefault(after[-1].step, after)
        assert len(grown) > len(before), "no end within reach"
        before = grown


@given(script_graphs())
def test_a_drawing_contains_every_step_without_overlaps(definition):
    drawing = graph.layout_script(definition)
    assert {box.code for box in drawing.boxes} == {drawn_box.code for drawn_box in definition.steps}
    for drawn_box in drawing.boxes:
        assert graph.BOX_WIDTH / 2 <= drawn_box.x <= drawing.width - graph.BOX_WIDTH / 2
        assert graph.BOX_HEIGHT / 2 <= drawn_box.y <= drawing.height - graph.BOX_HEIGHT / 2
    for height in {box.y for box in drawing.boxes}:
        row = sorted(box.x for box in drawing.boxes if box.y == height)
        assert len(row) <= graph.MAX_STEPS_PER_LAYER
        assert all(right_x - left_x >= graph.BOX_WIDTH for left_x, right_x in pairwise(row))
    places = {box.code: box for box in drawing.boxes}
    for way in drawing.connections:
        assert way.up == (places[way.after].y <= places[way.before].y)
        assert all(0 <= x <= drawing.width and 0 <= y <= drawing.height for x, y in way.points)
    expected = {
        (s.code, a.to) for s in definition.steps for a in s.answers if definition.find_step(a.to)
    }
    assert {(way.before, way.after) for way in drawing.connections} == expected


def test_returns_and_jumps_are_recorded_in_the_course():
    definition = parse_script(step_entry("a", "b"), step_entry("b", "c"), step_entry("c"))
    way = course.answer_step(definition, course.start_course(definition), 1)
    way = course.step_back(definition, course.answer_step(definition, way, 1))
    assert course.active_path(way) == ["a", "b"]
    assert [(entry.step, entry.transition, entry.answer) for entry in way] == [
        ("a", "begin", 1),
        ("b", "answer", 1),
        ("c", "answer", 0),
        ("b", "back", 0),
    ]
    way = course.jump_to_step(definition, way, "a")
    assert course.active_path(way) == ["a", "b", "a"]
    assert course.step_back(definition, course.start_course(definition)) == course.start_course(
        definition
    )
    for wrong in (0, 2, -1):
        with pytest.raises(Refused):
            course.answer_step(definition, course.start_course(definition), wrong)
    with pytest.raises(Refused):
        course.jump_to_step(definition, way, "z")


def test_the_script_that_matches_most_conditions_is_chosen():
    scripts = [
        ("any", ScriptConditions()),
        ("ru", ScriptConditions(languages=("ru",))),
        ("subsidies", ScriptConditions(topics=("subsidies",))),
        ("night", ScriptConditions(hours="closed")),
        ("back", ScriptConditions(kinds=("callback",))),
        ("both", ScriptConditions(topics=("subsidies",), languages=("ru",))),
    ]
    topic = frozenset(["subsidies"])
    cases = {
        choosing.Situation(): ["any"],
        choosing.Situation(language="ru", topics=topic): ["both", "subsidies", "ru", "any"],
        choosing.Situation(language="uz", topics=topic): ["subsidies", "any"],
        choosing.Situation(language="uz", hours="closed"): ["night", "any"],
        choosing.Situation(language="uz", kind="callback"): ["back", "any"],
    }
    for call, expected in cases.items():
        assert choosing.applicable_scripts(scripts, call) == expected
    numbers = [("one", ScriptConditions(numbers=("1272",)))]
    assert choosing.applicable_scripts(numbers, choosing.Situation(number="1000")) == []
    assert choosing.applicable_scripts(numbers, choosing.Situation(number="1272")) == ["one"]


def test_a_text_is_in_the_callers_language_and_the_readers_script():
    hello = {"uz": "Assalomu alaykum, {name}! Muddat {due} gacha.", "ru": "Здравствуйте, {name}!"}
    values = {"name": "Gulchehra Yoʻldosheva"}
    latin = texts.localized_segments(hello, "uz", "uz_Latn", values)
    assert [part.placeholder for part in latin if part.placeholder] == ["name", "due"]
    assert "".join(part.text for part in latin) == (
        "Assalomu alaykum, Gulchehra Yoʻldosheva! Muddat  gacha."
    )
    cyrillic = texts.localized_segments(hello, "uz", "uz_Cyrl", values)
    assert "".join(part.text for part in cyrillic).startswith(
        "Ассалому алайкум, Гулчеҳра Йўлдошева"
    )
    assert texts.is_transliterated("uz", "uz_Cyrl")
    assert not texts.is_transliterated("ru", "uz_Cyrl")
    russian = texts.localized_segments(hello, "ru", "uz_Cyrl", {})
    assert "".join(part.text for part in russian) == "Здравствуйте, !"
    assert texts.available_language({"ru": "Да"}, "uz") == "ru"
    assert texts.localized_segments({}, "uz", "ru", {}) == [texts.TextSegment("")]


def test_uzbek_texts_are_stored_with_uzbek_letters():
    definition = parse_script(step_entry("a", said={"uz": "  Bo'lim  nomi \n ma'lum ", "ru": "Да"}))
    assert definition.steps[0].said["uz"] == "Boʻlim nomi\nmaʼlum"


def test_two_versions_are_compared_step_by_step():
    before = parse_script(step_entry("a", "b"), step_entry("b"))
    after = parse_script(
        step_entry("a", "c"),
        step_entry("c"),
        step_entry("b", said=both_languages("other")),
        languages=["ru"],
    )
    changes = comparing.step_changes(before, after)
    steps = [change.after or change.before for change in changes]
    assert [
        (change.kind, step.code if step else "", change.parts)
        for change, step in zip(changes, steps, strict=True)
    ] == [
        ("changed", "", ("when",)),
        ("changed", "a", ("answers",)),
        ("added", "c", ()),
        ("changed", "b", ("said",)),
    ]  # fmt: skip
    assert comparing.step_changes(before, before) == []
    assert isinstance(before, Definition)
    removed = parse_script(step_entry("a"))
    assert [change.kind for change in comparing.step_changes(before, removed)] == [
        "changed",
        "removed",
    ]
