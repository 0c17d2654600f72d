"""Links are compiled when they are first built, not when the application starts."""

import pytest
from werkzeug.routing import Rule

from appliance.web import create_app
from appliance.web.shell.addresses import LazyRule


def test_a_route_is_compiled_when_its_first_link_is_built(
    settings, monkeypatch: pytest.MonkeyPatch
):
    compiled = []
    compile_builder = Rule._compile_builder

    def record_compilation(rule: Rule, append_unknown: bool = True):
        compiled.append(rule.rule)
        return compile_builder(rule, append_unknown)

    monkeypatch.setattr(Rule, "_compile_builder", record_compilation)
    app = create_app(settings)
    app.extensions["live"].stop()
    assert {type(rule) for rule in app.url_map.iter_rules()} == {LazyRule}
    assert compiled == []
    with app.test_request_context():
        for number in ("2026-000001", "2026-000002"):
            assert app.url_for("appeals.show_appeal", number=number) == f"/appeals/{number}"
        assert app.url_for("appeals.show_appeal", number="x", back="y z") == "/appeals/x?back=y+z"
    assert compiled == ["/appeals/<number>"]
