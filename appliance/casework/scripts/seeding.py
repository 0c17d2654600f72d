"""The script that comes with the product: a draft, to be approved by the ministry."""

import json
from typing import Any

from appliance import PACKAGE
from appliance.casework.scripts.definition import definition_document, parse_definition
from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.models import Script, ScriptVersion

PRODUCT_SCRIPT_FILE = PACKAGE / "data" / "script.json"


def product_script() -> tuple[str, dict[str, Any]]:
    """Return the code and the document (as for parse_definition()) of the product's script."""
    content = json.loads(PRODUCT_SCRIPT_FILE.read_text("utf-8"))
    return content.pop("code"), content


def seed_product_script() -> bool:
    """Store the product's script on a site that never had it. Returns True if it was stored."""
    code, content = product_script()
    with write_transaction():
        if Script.select().where(Script.code == code).exists():
            return False
        now = clock.now()
        script = Script.create(code=code, made_at=now)
        definition = definition_document(parse_definition(content))
        ScriptVersion.create(script=script, number=1, made_at=now, definition=definition)
    return True
