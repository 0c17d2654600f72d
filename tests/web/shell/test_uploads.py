"""Files that lie, sent wherever a page takes one: none fails a page, none is run or shown."""

import functools
import gc
import io
import re
import struct
import wave
import zipfile
import zlib

import pytest

from appliance.casework import catalogs, changes
from appliance.models import ArticleFile, ChangeFile
from tests.rig.browser import Browser
from tests.rig.people import OF_ROLE
from tests.web.knowledge.test_articles import TYPED
from tests.web.shell.test_access import ROUTES

MARK = "yashirinbuyruq"  # in every lie that a browser or an office program would run
SCRIPT = f"<script>alert('{MARK}')</script>"
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{MARK}()">{SCRIPT}</svg>'


def packed(**parts: bytes) -> bytes:
    """A ZIP; names have __ for /."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", parts.pop("types", b"<Types/>"))
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return made.getvalue()


def sound(seconds: int, tail: bytes = b"") -> bytes:
    """A WAV of silence, and what follows it."""
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(16_000 * seconds))
    return made.getvalue() + tail


ENTITIES = b"".join(
    [b'<!DOCTYPE a [<!ENTITY a0 "ha">']
    + [b'<!ENTITY a%d "&a%d;&a%d;&a%d;&a%d;&a%d;">' % (n, *[n - 1] * 5) for n in range(1, 14)]
    + [b'<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&a13;&f;</a>']
)
PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 1, 1, 8, 0, 0, 0, 0)


@functools.cache
def lies() -> dict[str, bytes]:
    """What it is → what is sent."""
    return {
        "nothing": b"",
        "a program": b"MZ\x90\0" + bytes(500),
        "a page": f"<html>{SCRIPT}".encode(),
        "a drawing": SVG.encode(),
        "a picture and a page": b"GIF89a/*" + SCRIPT.encode() + b"*/=1;",
        "a PDF and a page": f"%PDF-1.7\n{SCRIPT}\n%%EOF".encode(),
        "a PDF that acts": b"%PDF-1.7\n1 0 obj<</S/J#61vaScript/JS(app.alert(1))>>endobj\n%%EOF",
        "a picture too large": PNG[:16] + struct.pack(">II", 60_000, 60_000) + bytes(9),
        "a document with macros": packed(
            **{"word__document.xml": b"<a/>"}, types=b"macroEnabled vbaProject"
        ),
        "a document of entities": packed(
            **{"word__document.xml": ENTITIES, "xl__workbook.xml": b"x"}
        ),
        "a book of entities": packed(**{"xl__workbook.xml": ENTITIES}),
        "a bomb": packed(**{"word__document.xml": bytes(120 * 1024 * 1024)}),
        "a climbing part": packed(**{"..__..__x": SCRIPT.encode(), "word__document.xml": b"x"}),
        "half an archive": packed(**{"word__document.xml": bytes(9_000)})[:150],
        "a sound and a page": sound(2, SCRIPT.encode()),
        "a sound that lies": sound(1).replace(struct.pack("<I", 16_000), struct.pack("<I", 2**31)),
        "a sound of hours": b"OggS" + zlib.compress(bytes(5_000_000)),
        "a list of sounds": b"#EXTM3U\n/etc/passwd\nhttp://127.0.0.1/\n",
        "a table that acts": b"code,position\n=cmd|'/c calc'!A1,@SUM(1)\n+1,-1\n",
        "a table of nuls": b"code,position\n\0\0\0,\0\n" * 50,
        "another alphabet": "code,position\n\u202e\ud7ff\ufeff,\uffff\n".encode("utf-16"),
        "a line without an end": b"a," * 400_000,
        "quotes without an end": b'"' * 100_001,
    }


NAMES = (
    "../../../etc/cron.d/x",
    "..\\..\\x.pdf",
    "a\0.pdf",
    "a.pdf\r\nX: y",
    f"{SCRIPT}.svg",
    "CON",
)
NAMES += ("x" * 4000 + ".docx", "\u202efdp.exe", "/etc/passwd", "a.php;.png", " ", ".htaccess")
FIELD = {"/prompts/upload/uz/thanks": "recording", "/changes": "files"}
FIELD |= {
    "/changes/1/steps": "files",
    "/articles": "files",
    "/articles/subsidiya-olish/save": "files",
}


@pytest.fixture
def browsers(app, settings, bahodir, login_as) -> dict[str, Browser]:
    """Role → who is signed in; there are prompts, an article, a request for a change."""
    (settings.paths.prompts / "uz").mkdir(parents=True)
    (settings.paths.prompts / "uz/thanks.wav").write_bytes(sound(1))
    calendar = catalogs.working_calendar(settings)
    changes.ask(bahodir, "other", "Nima", "Nega", calendar)
    made = {role: login_as(role) for role in ("manager", "ministry")}
    made["manager"].send("/articles", "/articles/new", **TYPED)
    return made


def takers(app) -> dict[str, str]:
    """Address → the role that sends there, of every route that takes a file."""
    found = {}
    for rule in app.url_map.iter_rules():
        if "largest" not in app.view_functions[rule.endpoint].__dict__:
            continue
        path = rule.rule.replace("<int:number>", "1").replace("<slug>", "subsidiya-olish")
        path = path.replace("<any(uz, ru):language>", "uz").replace("<language>", "uz")
        path = path.replace("/<name>/file", "/group/file").replace("<path:name>", "thanks")
        who = ROUTES[f"POST {rule.rule}"]
        found[path] = "manager" if "manager" in who else min(who & OF_ROLE.keys())
    return found


# A file that is refused half-way is given up by the web server's library, and closed later.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_no_page_fails_by_a_file_and_none_shows_it(app, browsers) -> None:
    known = takers(app)
    assert len(known) == 8, known
    tried = 0
    for path, role in known.items():
        browser = browsers[role]
        token = browser.token()
        sent = [(content, "a.pdf") for content in lies().values()]
        sent += [(lies()["a page"], name) for name in NAMES[:: 1 if "changes" in path else 4]]
        for content, name in sent:
            fields = TYPED | {"csrf_token": token, "seen": "1", "action": "say", "version": "1"}
            fields |= {"kind": "other", "what": "Nima", "why": "Nega"}
            fields[FIELD.get(path, "file")] = (io.BytesIO(content), name)
            with browser.post(path, data=fields, content_type="multipart/form-data") as answer:
                status, there = answer.status_code, answer.headers.get("Location", "")
            assert status in (302, 303, 400, 413, 422), (path, name, content[:30])
            if there and (SCRIPT.encode() in content or name != "a.pdf"):
                page = browser.get(there).text
                assert SCRIPT not in page, (path, name)
                assert not re.search(rf'onload="{MARK}', page), (path, name)
            tried += 1
    gc.collect()
    print(f"{tried} lies sent to {len(known)} routes: no page failed")
    # A PDF that is a page as well is a PDF: it is given to be saved. Nothing else was taken.
    assert {one.content for one in ArticleFile.select()} <= {lies()["a PDF and a page"]}


def test_what_is_kept_as_it_came_is_only_saved(app, browsers) -> None:
    """Files of change requests may be anything: a browser gets them to save, and runs none."""
    browser = browsers["ministry"]
    for content in (lies()["a drawing"], lies()["a page"], lies()["a PDF and a page"]):
        for name in NAMES:
            fields = {"kind": "other", "what": "Nima", "why": "Nega"}
            browser.send("/changes", "/changes/new", **fields, files=[(io.BytesIO(content), name)])
    kept = list(ChangeFile.select())
    assert len(kept) > 20
    for one in kept:
        answer = browser.get(f"/changes/{one.request_id}/files/{one.id}")
        assert answer.status_code == 200
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert not re.search(r"[/\\\r\n\0]", one.name)
        assert "sandbox" in answer.headers["Content-Security-Policy"] or (
            "script-src 'self'" in answer.headers["Content-Security-Policy"]
        )
