"""Links are compiled as they are made, not as the application starts."""

import pytest
from werkzeug.routing import Rule

from appliance.web import create_app
from appliance.web.shell.addresses import Route


def test_a_link_is_compiled_when_the_first_is_made(settings, monkeypatch: pytest.MonkeyPatch):
    compiled = []
    compile_builder = Rule._compile_builder

    def noted(rule: Rule, append_unknown: bool = True):
        compiled.append(rule.rule)
        return compile_builder(rule, append_unknown)

    monkeypatch.setattr(Rule, "_compile_builder", noted)
    app = create_app(settings)
    app.extensions["live"].stop()
    assert {type(rule) for rule in app.url_map.iter_rules()} == {Route}
    assert compiled == []
    with app.test_request_context():
        for number in ("2026-000001", "2026-000002"):
            assert app.url_for("appeals.page", number=number) == f"/appeals/{number}"
        assert app.url_for("appeals.page", number="x", back="y z") == "/appeals/x?back=y+z"
    assert compiled == ["/appeals/<number>"]
