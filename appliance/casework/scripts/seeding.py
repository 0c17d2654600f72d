"""The script that comes with the product: a draft, for the ministry to approve."""

import json
from typing import Any

from appliance import PACKAGE
from appliance.casework.scripts.definition import document_of, parse
from appliance.core import clock
from appliance.core.db import writing
from appliance.models import Script, ScriptVersion

FILE = PACKAGE / "data" / "script.json"


def document() -> tuple[str, dict[str, Any]]:
    """The code and the document of the product's script."""
    held = json.loads(FILE.read_text("utf-8"))
    return held.pop("code"), held


def seed() -> bool:
    """Put the product's script on a site that never had it; whether it is new."""
    code, held = document()
    with writing():
        if Script.select().where(Script.code == code).exists():
            return False
        now = clock.now()
        script = Script.create(code=code, made_at=now)
        made = document_of(parse(held))
        ScriptVersion.create(script=script, number=1, made_at=now, definition=made)
    return True
