"""What an action of the audit is called: the thing, and what was done with it.

The message ids are nouns, so that both stand beside each other in every language. An action that is
new has its words here; tests/web/status/test_audit_page.py finds the one that has none.
"""

from appliance.core.i18n import N_

_THINGS = {
    "announcement": N_("Announcement"),
    "appeal": N_("Appeal"),
    "appeal.readers": N_("Who reads a personal appeal"),
    "appeals": N_("Appeals, as a file"),
    "applicant": N_("Applicant"),
    "article": N_("Article of the knowledge base"),
    "audit": N_("Audit"),
    "calendar": N_("Working calendar"),
    "call": N_("A call"),
    "calls": N_("Calls, as a file"),
    "call_form": N_("Registered call"),
    "call_forms": N_("Registered calls, as a file"),
    "callback": N_("Callback"),
    "change": N_("Change request"),
    "data_request": N_("Request about own data"),
    "department": N_("Department"),
    "draft": N_("Draft of a form"),
    "employee": N_("Directory entry"),
    "evidence": N_("Evidence pack"),
    "follow_up": N_("Missed caller"),
    "form": N_("Form and its fields"),
    "hold": N_("Protection from removal"),
    "key": N_("Access key"),
    "line": N_("A line"),
    "log": N_("What the ledger could not take in"),
    "list": N_("A list"),
    "list.item": N_("Value of a list"),
    "message": N_("Message sent"),
    "ministry": N_("Ministry's system"),
    "note": N_("Note on a number"),
    "notice": N_("Text of a message"),
    "number": N_("A number"),
    "numbers": N_("Callers' numbers"),
    "operator": N_("Operator's state"),
    "passkey": N_("A passkey"),
    "pause": N_("Pauses"),
    "pin": N_("PIN of the lock"),
    "phone": N_("A phone"),
    "plan": N_("Routing of calls"),
    "prompt": N_("A prompt"),
    "recording": N_("A recording"),
    "registration": N_("What was registered, as a file"),
    "report": N_("A report"),
    "retention": N_("Old data"),
    "script": N_("Conversation script"),
    "second_factor": N_("A second factor"),
    "session": N_("A session"),
    "sms": N_("SMS"),
    "snapshot": N_("A snapshot"),
    "staff": N_("Staff records"),
    "staff.shift": N_("A shift"),
    "supervise": N_("An operator's call"),
    "tariff": N_("A tariff"),
    "template": N_("SMS template"),
    "user": N_("An account"),
}
_DONE = {
    "accept": N_("accepting for work"),
    "add": N_("adding"),
    "address": N_("address given"),
    "answer": N_("answering"),
    "approval": N_("approval noted"),
    "approve": N_("approving"),
    "ask": N_("asking"),
    "barge": N_("joining the talk"),
    "begin": N_("beginning"),
    "calls": N_("choosing calls to alert of"),
    "catch_up": N_("taking up earlier ones"),
    "change": N_("changing"),
    "choose": N_("choosing"),
    "close": N_("closing"),
    "codes": N_("new codes"),
    "conclude": N_("result of a consultation"),
    "confirm": N_("confirming"),
    "consult": N_("asking a specialist"),
    "correct": N_("correcting"),
    "disable": N_("locking"),
    "discard": N_("throwing away"),
    "dismiss": N_("leaving without consideration"),
    "done": N_("done"),
    "download": N_("downloading"),
    "drill": N_("trying a restore"),
    "drop": N_("never to be sent"),
    "duty": N_("taken by the one on duty"),
    "enable": N_("opening again"),
    "end": N_("ending"),
    "event": N_("event taken in"),
    "export": N_("exporting"),
    "extend": N_("extending the term"),
    "fallback": N_("sign-in without the directory"),
    "finish": N_("finishing"),
    "forget": N_("forgetting"),
    "forward": N_("forwarding"),
    "goals": N_("goals"),
    "hand_over": N_("handing over"),
    "hang_up": N_("hanging up"),
    "hide": N_("hiding"),
    "identity": N_("name outside the house"),
    "import": N_("importing"),
    "interim": N_("interim answer"),
    "issue": N_("issuing"),
    "key_removed": N_("removing its key"),
    "limits": N_("limits"),
    "link": N_("linking"),
    "list": N_("list looked at"),
    "listen": N_("listening"),
    "make": N_("making"),
    "mask": N_("asking to be masked"),
    "mask_again": N_("masking again after a restore"),
    "masked": N_("masking"),
    "measure": N_("a disciplinary measure"),
    "member": N_("members"),
    "move": N_("moving"),
    "opt_in": N_("wants messages again"),
    "opt_out": N_("wants no messages"),
    "password": N_("new password"),
    "phone": N_("new phone password"),
    "place": N_("placing"),
    "put": N_("putting in force"),
    "question": N_("asking back"),
    "read": N_("reading"),
    "record": N_("changing the record"),
    "refuse": N_("refused"),
    "register": N_("registering"),
    "release": N_("new version of the product"),
    "remove": N_("removing"),
    "rename": N_("renaming"),
    "reopen": N_("opening anew"),
    "resend": N_("sending again"),
    "restore": N_("restoring"),
    "retire": N_("retiring"),
    "retry": N_("trying again"),
    "return": N_("returning for correction"),
    "reveal": N_("opening with a reason"),
    "revoke": N_("revoking"),
    "right": N_("right to listen"),
    "route": N_("directions"),
    "rule": N_("rule of sending"),
    "save": N_("saving"),
    "schedule": N_("agreeing on a time"),
    "seen": N_("seen"),
    "send": N_("sending"),
    "send_back": N_("sending back"),
    "set": N_("setting"),
    "set_up": N_("setting itself up"),
    "settle": N_("confirming the date"),
    "sheet": N_("recovery sheet"),
    "shift": N_("a new shift"),
    "show": N_("showing"),
    "sign_out": N_("signing out everywhere"),
    "take": N_("taking into work"),
    "take_over": N_("taking over"),
    "tell": N_("asking what is stored"),
    "test": N_("test call"),
    "training": N_("a course"),
    "undo": N_("taking the answer back"),
    "verify": N_("verifying"),
    "view": N_("viewing"),
    "whisper": N_("whispering"),
    "withdraw": N_("withdrawing"),
    "write": N_("writing"),
    "year": N_("filling a year"),
}
_WHOLE = {
    "login": N_("Sign-in"),
    "login.failed": N_("Sign-in refused"),
    "login.fallback": N_("Sign-in by the stored password, the directory being away"),
    "login.second": N_("Second factor shown"),
    "login.second.failed": N_("Second factor refused"),
    "logout": N_("Sign-out"),
    "session.lock": N_("Page locked"),
    "session.unlock": N_("Page unlocked"),
    "session.unlock.failed": N_("Unlocking refused"),
    "replica.restart": N_("Continuous copy restarted"),
    "release.accepted": N_("Older or expired bundle accepted"),
    "release.in_force": N_("Release put in force"),
    "release.rolled_back": N_("Release taken back"),
    "snapshot.keys_rotated": N_("Keys of the snapshots renewed"),
    "reading.unusual": N_("Unusual reading"),
}
_SAME = {"refused": "refuse", "state": "change", "create": "make"}
_SAME_THING = {"task": "follow_up", "outbox": "message"}


def things() -> dict[str, str]:
    """What begins actions (`appeal.`) → its message id."""
    same = {new: _THINGS[old] for new, old in _SAME_THING.items()}
    return {f"{code}.": name for code, name in (_THINGS | same).items()}


def named(action: str) -> tuple[str, str]:
    """The message ids of an action: of the thing, and of what was done, "" where one says all.

    What is not known is called by its code.
    """
    if whole := _WHOLE.get(action):
        return whole, ""
    found = things()
    begins = max((one for one in found if action.startswith(one)), key=len, default="")
    thing, done = found.get(begins, ""), action.removeprefix(begins)
    done = done.rpartition(".")[2]
    return thing or action.partition(".")[0], _DONE.get(_SAME.get(done, done), done)


def is_known(action: str) -> bool:
    """Whether an action has words."""
    thing, done = named(action)
    known = {*_THINGS.values(), *_WHOLE.values()}
    return thing in known and (not done or done in _DONE.values())
