"""Scripts: what a document may be, what is found wrong, going through them, choosing, drawing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework.scripts import checks, choosing, comparing, course, graph, texts
from appliance.casework.scripts.definition import (
    Definition,
    DefinitionError,
    When,
    document_of,
    parse,
)

KNOWN = checks.Known(
    fields=("surname", "gist"),
    numbers=("1272",),
    topics=("subsidies",),
    refs={"article": ("subsidiya",), "sms": ("1",), "department": ("legal",), "employee": ("7",)},
)


def words(text):
    return {"uz": text, "ru": text}


def step(code, *to, **more):
    answers = [{"words": words(f"{code}-{number}"), "to": one} for number, one in enumerate(to)]
    entry = {"code": code, "name": words(code), "said": words(f"said {code}"), "answers": answers}
    return entry | {"ends": not to} | more


def script(*steps, **when):
    return parse({"title": words("First"), "when": when, "steps": [*steps]})


def found(made, known=KNOWN):
    return [(one.code, one.step) for one in checks.findings(made, known)]


def test_a_script_is_read_back_as_it_was_written():
    made = script(
        step("hello", "ask", "bye", fields=["surname"], note=words("Slowly")),
        step("ask", "hello", actions=[{"kind": "article", "ref": "subsidiya"}]),
        step("bye"),
        topics=["subsidies"],
        languages=["ru"],
        hours="open",
        kinds=["callback"],
    )
    assert parse(document_of(made)) == made
    assert found(made) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"steps": []}, "steps"),
        ({"steps": "no"}, "steps"),
        ({"steps": [step("a"), step("a")]}, "twice"),
        ({"steps": [step("A b")]}, "code"),
        ({"steps": [step("a", said={"en": "Hello"})]}, "words"),
        ({"steps": [step("a", said=words("x" * 2001))]}, "long"),
        ({"steps": [step("a", *"abcdefghij")]}, "answers"),
        ({"steps": [step("a", actions=[{"kind": "shell", "ref": "rm"}])]}, "action"),
        ({"steps": [step("a") | {"script": "x"}]}, "unknown"),
        ({"when": {"hours": "night"}}, "when"),
        ({"when": {"languages": ["en"]}}, "when"),
        ({"title": "First"}, "words"),
    ],
)
def test_what_is_no_script_is_refused(changed, code):
    document = {"title": words("First"), "when": {}, "steps": [step("a")]} | changed
    with pytest.raises(DefinitionError) as refused:
        parse(document)
    assert refused.value.code == code


def test_a_sound_script_has_no_findings():
    made = script(
        step("a", "b", "c", fields=["surname"], said=words("Salom, {name}!")),
        step("b", "a", "c", actions=[{"kind": "specialist"}, {"kind": "sms", "ref": "1"}]),
        step("c"),
        numbers=["1272"],
    )
    assert found(made) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([step("a"), step("b")], [("unreachable", "b")]),
        ([step("a", "b"), step("b", ends=False)], [("dead_end", "b")]),
        ([step("a", "gone")], [("target", "a")]),
        ([step("a", "b"), step("b", "a")], [("loop", "a"), ("loop", "b")]),
        ([step("a", "a")], [("loop", "a")]),
        ([step("a", said={"uz": "Salom"})], [("said", "a")]),
        ([step("a", note={"uz": "Sekin"})], [("note", "a")]),
        ([step("a", fields=["shoe_size"])], [("field", "a")]),
        ([step("a", actions=[{"kind": "article", "ref": "gone"}])], [("article", "a")]),
        ([step("a", actions=[{"kind": "sms", "ref": "2"}])], [("sms", "a")]),
        ([step("a", actions=[{"kind": "department", "ref": "x"}])], [("department", "a")]),
        ([step("a", actions=[{"kind": "employee", "ref": "8"}])], [("employee", "a")]),
        ([step("a", said=words("Salom {pinfl}"))], [("word", "a"), ("word", "a")]),
        ([step("a", said=words("Salom {name"))], [("word", "a"), ("word", "a")]),
    ],
)
def test_each_fault_is_found_at_its_step(steps, expected):
    assert found(script(*steps)) == expected


def test_a_script_for_one_language_needs_no_other():
    only = step("a") | {"said": {"ru": "Здравствуйте"}}
    assert found(script(only, languages=["ru"])) == []
    assert found(script(only)) == [("said", "a")]


def test_conditions_name_what_there_is():
    made = script(step("a"), numbers=["1000"], topics=["weather"])
    assert [(one.code, one.what) for one in checks.findings(made, KNOWN)] == [
        ("number", "1000"),
        ("topic", "weather"),
    ]


@st.composite
def graphs(draw):
    size = draw(st.integers(1, 12))
    codes = [f"s{number}" for number in range(size)]
    target = st.sampled_from([*codes, "gone"])
    steps = [
        step(code, *draw(st.lists(target, max_size=4)), ends=draw(st.booleans())) for code in codes
    ]
    return script(*steps)


@given(graphs(), st.lists(st.integers(0, 8), max_size=30))
def test_a_script_without_findings_is_walked_from_any_step_to_an_end(made, choices):
    """Whatever was answered, jumped to or gone back from before, an end is within reach."""
    if checks.findings(made, KNOWN):
        return
    way = course.begun(made)
    for choice in choices:  # an operator who wanders
        answers = len(made.step(way[-1].step).answers)
        if choice == 0:
            way = course.back(made, way)
        elif choice == 8:
            way = course.jumped(made, way, made.steps[-1].code)
        elif answers:
            way = course.answered(made, way, choice % answers + 1)
        assert all(made.step(code) for code in course.trail(way))
    before = {way[-1].step: way}
    while not any(course.is_end(made, one) for one in before.values()):
        grown = dict(before)
        for one in before.values():
            for number in range(1, len(made.step(one[-1].step).answers) + 1):
                after = course.answered(made, one, number)
                grown.setdefault(after[-1].step, after)
        assert len(grown) > len(before), "no end within reach"
        before = grown


@given(graphs())
def test_a_drawing_holds_every_step_apart_from_the_others(made):
    drawing = graph.drawn(made)
    assert {box.code for box in drawing.boxes} == {one.code for one in made.steps}
    for one in drawing.boxes:
        assert graph.WIDE / 2 <= one.x <= drawing.wide - graph.WIDE / 2
        assert graph.HIGH / 2 <= one.y <= drawing.high - graph.HIGH / 2
    for height in {box.y for box in drawing.boxes}:
        row = sorted(box.x for box in drawing.boxes if box.y == height)
        assert len(row) <= graph.MOST
        assert all(right - left >= graph.WIDE for left, right in pairwise(row))
    places = {box.code: box for box in drawing.boxes}
    for way in drawing.ways:
        assert way.up == (places[way.after].y <= places[way.before].y)
        assert all(0 <= x <= drawing.wide and 0 <= y <= drawing.high for x, y in way.points)
    wanted = {(s.code, a.to) for s in made.steps for a in s.answers if made.step(a.to)}
    assert {(way.before, way.after) for way in drawing.ways} == wanted


def test_going_back_and_jumping_are_told_too():
    made = script(step("a", "b"), step("b", "c"), step("c"))
    way = course.answered(made, course.begun(made), 1)
    way = course.back(made, course.answered(made, way, 1))
    assert course.trail(way) == ["a", "b"]
    assert [(one.step, one.how, one.answer) for one in way] == [
        ("a", "begin", 1),
        ("b", "answer", 1),
        ("c", "answer", 0),
        ("b", "back", 0),
    ]
    way = course.jumped(made, way, "a")
    assert course.trail(way) == ["a", "b", "a"]
    assert course.back(made, course.begun(made)) == course.begun(made)
    for wrong in (0, 2, -1):
        with pytest.raises(course.CourseError):
            course.answered(made, course.begun(made), wrong)
    with pytest.raises(course.CourseError):
        course.jumped(made, way, "z")


def test_the_script_that_says_most_of_a_call_is_taken():
    scripts = [
        ("any", When()),
        ("ru", When(languages=("ru",))),
        ("subsidies", When(topics=("subsidies",))),
        ("night", When(hours="closed")),
        ("back", When(kinds=("callback",))),
        ("both", When(topics=("subsidies",), languages=("ru",))),
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
        assert choosing.chosen(scripts, call) == expected
    numbers = [("one", When(numbers=("1272",)))]
    assert choosing.chosen(numbers, choosing.Situation(number="1000")) == []
    assert choosing.chosen(numbers, choosing.Situation(number="1272")) == ["one"]


def test_a_text_is_said_in_the_callers_language_and_the_readers_script():
    hello = {"uz": "Assalomu alaykum, {name}! Muddat {due} gacha.", "ru": "Здравствуйте, {name}!"}
    values = {"name": "Gulchehra Yoʻldosheva"}
    latin = texts.parts_of(hello, "uz", "uz_Latn", values)
    assert [part.word for part in latin if part.word] == ["name", "due"]
    assert "".join(part.text for part in latin) == (
        "Assalomu alaykum, Gulchehra Yoʻldosheva! Muddat  gacha."
    )
    cyrillic = texts.parts_of(hello, "uz", "uz_Cyrl", values)
    assert "".join(part.text for part in cyrillic).startswith(
        "Ассалому алайкум, Гулчеҳра Йўлдошева"
    )
    assert texts.is_made("uz", "uz_Cyrl")
    assert not texts.is_made("ru", "uz_Cyrl")
    russian = texts.parts_of(hello, "ru", "uz_Cyrl", {})
    assert "".join(part.text for part in russian) == "Здравствуйте, !"
    assert texts.language({"ru": "Да"}, "uz") == "ru"
    assert texts.parts_of({}, "uz", "ru", {}) == [texts.Part("")]


def test_uzbek_is_kept_in_its_own_signs():
    made = script(step("a", said={"uz": "  Bo'lim  nomi \n ma'lum ", "ru": "Да"}))
    assert made.steps[0].said["uz"] == "Boʻlim nomi\nmaʼlum"


def test_what_a_version_says_otherwise():
    before = script(step("a", "b"), step("b"))
    after = script(step("a", "c"), step("c"), step("b", said=words("other")), languages=["ru"])
    told = comparing.changes(before, after)
    assert [(one.kind, (one.after or one.before).code if one.after or one.before else "", one.parts)
            for one in told] == [
        ("changed", "", ("when",)),
        ("changed", "a", ("answers",)),
        ("added", "c", ()),
        ("changed", "b", ("said",)),
    ]  # fmt: skip
    assert comparing.changes(before, before) == []
    assert isinstance(before, Definition)
    removed = script(step("a"))
    assert [one.kind for one in comparing.changes(before, removed)] == ["changed", "removed"]
