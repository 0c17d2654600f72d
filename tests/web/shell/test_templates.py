"""Templates stay readable."""

from appliance import PACKAGE

MAX_LINE_LENGTH = 120  # characters


def test_no_line_of_a_template_is_too_long() -> None:
    templates = sorted(PACKAGE.rglob("templates/**/*.html"))
    assert len(templates) > 80
    long = [
        f"{template.relative_to(PACKAGE)}:{number}: {len(line)} letters"
        for template in templates
        for number, line in enumerate(template.read_text("utf-8").splitlines(), 1)
        if len(line) > MAX_LINE_LENGTH
    ]
    assert not long, "\n".join(long)
