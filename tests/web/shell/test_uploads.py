"""Deceptive files, sent wherever a page accepts a file: no page fails, nothing is run or shown."""

import functools
import gc
import io
import re
import struct
import wave
import zipfile
import zlib

import pytest

from appliance.casework import catalogs
from appliance.casework.changes import requests
from appliance.models import ArticleFile, ChangeFile
from tests.rig.browser import Browser
from tests.rig.people import LOGIN_OF_ROLE
from tests.web.knowledge.test_articles import ARTICLE_FIELDS
from tests.web.shell.test_access import ROUTES

ATTACK_MARK = "yashirinbuyruq"  # in every file that a browser or an office program would execute
SCRIPT_TAG = f"<script>alert('{ATTACK_MARK}')</script>"
SVG_WITH_SCRIPT = (
    f'<svg xmlns="http://www.w3.org/2000/svg" onload="{ATTACK_MARK}()">{SCRIPT_TAG}</svg>'
)


def zip_file(**parts: bytes) -> bytes:
    """Return a ZIP file; part names have __ in place of /."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", parts.pop("types", b"<Types/>"))
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def wav_file(seconds: int, tail: bytes = b"") -> bytes:
    """Return a silent WAV file followed by `tail`."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(16_000 * seconds))
    return buffer.getvalue() + tail


ENTITY_BOMB = b"".join(
    [b'<!DOCTYPE a [<!ENTITY a0 "ha">']
    + [b'<!ENTITY a%d "&a%d;&a%d;&a%d;&a%d;&a%d;">' % (n, *[n - 1] * 5) for n in range(1, 14)]
    + [b'<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&a13;&f;</a>']
)
PNG_HEADER = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 1, 1, 8, 0, 0, 0, 0)


@functools.cache
def deceptive_files() -> dict[str, bytes]:
    """Map a description of each file to its content."""
    return {
        "nothing": b"",
        "a program": b"MZ\x90\0" + bytes(500),
        "a page": f"<html>{SCRIPT_TAG}".encode(),
        "a drawing": SVG_WITH_SCRIPT.encode(),
        "a picture and a page": b"GIF89a/*" + SCRIPT_TAG.encode() + b"*/=1;",
        "a PDF and a page": f"%PDF-1.7\n{SCRIPT_TAG}\n%%EOF".encode(),
        "a PDF that acts": b"%PDF-1.7\n1 0 obj<</S/J#61vaScript/JS(app.alert(1))>>endobj\n%%EOF",
        "a picture too large": PNG_HEADER[:16] + struct.pack(">II", 60_000, 60_000) + bytes(9),
        "a document with macros": zip_file(
            **{"word__document.xml": b"<a/>"}, types=b"macroEnabled vbaProject"
        ),
        "a document of entities": zip_file(
            **{"word__document.xml": ENTITY_BOMB, "xl__workbook.xml": b"x"}
        ),
        "a book of entities": zip_file(**{"xl__workbook.xml": ENTITY_BOMB}),
        "a bomb": zip_file(**{"word__document.xml": bytes(120 * 1024 * 1024)}),
        "a climbing part": zip_file(
            **{"..__..__x": SCRIPT_TAG.encode(), "word__document.xml": b"x"}
        ),
        "half an archive": zip_file(**{"word__document.xml": bytes(9_000)})[:150],
        "a sound and a page": wav_file(2, SCRIPT_TAG.encode()),
        "a sound that lies": wav_file(1).replace(
            struct.pack("<I", 16_000), struct.pack("<I", 2**31)
        ),
        "a sound of hours": b"OggS" + zlib.compress(bytes(5_000_000)),
        "a list of sounds": b"#EXTM3U\n/etc/passwd\nhttp://127.0.0.1/\n",
        "a table that acts": b"code,position\n=cmd|'/c calc'!A1,@SUM(1)\n+1,-1\n",
        "a table of nuls": b"code,position\n\0\0\0,\0\n" * 50,
        "another alphabet": "code,position\n\u202e\ud7ff\ufeff,\uffff\n".encode("utf-16"),
        "a line without an end": b"a," * 400_000,
        "quotes without an end": b'"' * 100_001,
    }


DECEPTIVE_NAMES = (
    "../../../etc/cron.d/x",
    "..\\..\\x.pdf",
    "a\0.pdf",
    "a.pdf\r\nX: y",
    f"{SCRIPT_TAG}.svg",
    "CON",
)
DECEPTIVE_NAMES += (
    "x" * 4000 + ".docx",
    "\u202efdp.exe",
    "/etc/passwd",
    "a.php;.png",
    " ",
    ".htaccess",
)
FIELD_OF_PATH = {"/prompts/upload/uz/thanks": "recording", "/changes": "files"}
FIELD_OF_PATH |= {
    "/changes/1/steps": "files",
    "/articles": "files",
    "/articles/subsidiya-olish/save": "files",
}


@pytest.fixture
def browsers(app, settings, bahodir, login_as) -> dict[str, Browser]:
    """The signed-in browser of each role; prompts, an article and a change request exist."""
    (settings.paths.prompts / "uz").mkdir(parents=True)
    (settings.paths.prompts / "uz/thanks.wav").write_bytes(wav_file(1))
    calendar = catalogs.working_calendar(settings)
    requests.create_change_request(bahodir, "other", "Nima", "Nega", calendar)
    browser_of_role = {role: login_as(role) for role in ("manager", "ministry")}
    browser_of_role["manager"].send("/articles", "/articles/new", **ARTICLE_FIELDS)
    return browser_of_role


def upload_roles(app) -> dict[str, str]:
    """Map the address of every route that accepts a file to the role that sends it."""
    role_of_path = {}
    for rule in app.url_map.iter_rules():
        if "max_bytes" not in app.view_functions[rule.endpoint].__dict__:
            continue
        path = rule.rule.replace("<int:number>", "1").replace("<slug>", "subsidiya-olish")
        path = path.replace("<any(uz, ru):language>", "uz").replace("<language>", "uz")
        path = path.replace("/<name>/file", "/group/file").replace("<path:name>", "thanks")
        who = ROUTES[f"POST {rule.rule}"]
        role_of_path[path] = "manager" if "manager" in who else min(who & LOGIN_OF_ROLE.keys())
    return role_of_path


# The web server library abandons a file that is refused half-way and closes it later.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_no_page_fails_on_a_file_or_shows_its_script(app, browsers) -> None:
    uploads = upload_roles(app)
    assert len(uploads) == 8, uploads
    tried = 0
    for path, role in uploads.items():
        browser = browsers[role]
        token = browser.token()
        files = [(content, "a.pdf") for content in deceptive_files().values()]
        files += [
            (deceptive_files()["a page"], name)
            for name in DECEPTIVE_NAMES[:: 1 if "changes" in path else 4]
        ]
        for content, name in files:
            fields = ARTICLE_FIELDS | {
                "csrf_token": token,
                "seen": "1",
                "action": "say",
                "version": "1",
            }
            fields |= {"kind": "other", "what": "Nima", "why": "Nega"}
            fields[FIELD_OF_PATH.get(path, "file")] = (io.BytesIO(content), name)
            with browser.post(path, data=fields, content_type="multipart/form-data") as answer:
                status, location = answer.status_code, answer.headers.get("Location", "")
            assert status in (302, 303, 400, 413, 422), (path, name, content[:30])
            if location and (SCRIPT_TAG.encode() in content or name != "a.pdf"):
                page = browser.get(location).text
                assert SCRIPT_TAG not in page, (path, name)
                assert not re.search(rf'onload="{ATTACK_MARK}', page), (path, name)
            tried += 1
    gc.collect()
    print(f"{tried} lies sent to {len(uploads)} routes: no page failed")
    # A PDF that is also a page is a PDF: it is served as a download. No other file was accepted.
    assert {article_file.content for article_file in ArticleFile.select()} <= {
        deceptive_files()["a PDF and a page"]
    }


def test_files_stored_unchanged_are_served_as_downloads_only(app, browsers) -> None:
    """Files of change requests may be anything: a browser only saves them."""
    browser = browsers["ministry"]
    for content in (
        deceptive_files()["a drawing"],
        deceptive_files()["a page"],
        deceptive_files()["a PDF and a page"],
    ):
        for name in DECEPTIVE_NAMES:
            fields = {"kind": "other", "what": "Nima", "why": "Nega"}
            browser.send("/changes", "/changes/new", **fields, files=[(io.BytesIO(content), name)])
    stored_files = list(ChangeFile.select())
    assert len(stored_files) > 20
    for stored in stored_files:
        answer = browser.get(f"/changes/{stored.request_id}/files/{stored.id}")
        assert answer.status_code == 200
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert not re.search(r"[/\\\r\n\0]", stored.name)
        assert "sandbox" in answer.headers["Content-Security-Policy"] or (
            "script-src 'self'" in answer.headers["Content-Security-Policy"]
        )
