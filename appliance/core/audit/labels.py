"""Labels of the audit's actions: one for the subject, one for what was done with it.

The labels are message ids for gettext: nouns, so that both can be shown side by side in every
language. A new action needs its label here; tests/web/status/test_audit_page.py finds an action
without one.
"""

from appliance.core.i18n import N_

_SUBJECT_LABELS = {
    "announcement": N_("Announcement"),
    "appeal": N_("Appeal"),
    "appeal.readers": N_("Readers of a personal appeal"),
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
    "data_request": N_("Request about personal data"),
    "department": N_("Department"),
    "draft": N_("Draft of a form"),
    "employee": N_("Directory entry"),
    "evidence": N_("Evidence pack"),
    "follow_up": N_("Missed caller"),
    "form": N_("Form and its fields"),
    "hold": N_("Protection from removal"),
    "key": N_("Access key"),
    "line": N_("A trunk"),
    "log": N_("Data that the ledger could not import"),
    "list": N_("A list"),
    "list.item": N_("Value of a list"),
    "message": N_("Sent message"),
    "ministry": N_("Ministry's system"),
    "note": N_("Note on a number"),
    "notice": N_("Text of a message"),
    "number": N_("A number"),
    "numbers": N_("Callers' numbers"),
    "operator": N_("Operator's state"),
    "passkey": N_("A passkey"),
    "pause": N_("Pauses"),
    "pin": N_("Lock PIN"),
    "phone": N_("A phone"),
    "plan": N_("Routing of calls"),
    "prompt": N_("A prompt"),
    "recording": N_("A recording"),
    "registration": N_("Registered records, as a file"),
    "report": N_("A report"),
    "retention": N_("Old data"),
    "script": N_("Conversation script"),
    "second_factor": N_("A second factor"),
    "session": N_("A session"),
    "sms": N_("SMS"),
    "snapshot": N_("A snapshot"),
    "staff": N_("Staff records"),
    "staff.shift": N_("A shift"),
    "supervise": N_("An operator's conversation"),
    "tariff": N_("A tariff"),
    "template": N_("SMS template"),
    "user": N_("An account"),
}
_OPERATION_LABELS = {
    "accept": N_("accepting for work"),
    "add": N_("adding"),
    "address": N_("issuing an address"),
    "answer": N_("answering"),
    "approval": N_("noting the approval"),
    "approve": N_("accepting the work"),
    "ask": N_("requesting"),
    "barge": N_("joining the conversation"),
    "begin": N_("starting work"),
    "calls": N_("choosing calls to be notified about"),
    "catch_up": N_("transferring earlier ones"),
    "change": N_("changing"),
    "choose": N_("choosing"),
    "close": N_("closing"),
    "codes": N_("new codes"),
    "conclude": N_("result of a consultation"),
    "confirm": N_("confirming"),
    "consult": N_("consulting a specialist"),
    "correct": N_("correcting"),
    "counted": N_("choosing what is counted"),
    "disable": N_("locking"),
    "discard": N_("discarding"),
    "dismiss": N_("leaving without consideration"),
    "done": N_("completing"),
    "download": N_("downloading"),
    "drill": N_("testing a restore"),
    "drop": N_("marking as never to be sent"),
    "duty": N_("taken by the person on duty"),
    "enable": N_("unlocking"),
    "end": N_("ending"),
    "event": N_("receiving an event"),
    "export": N_("exporting"),
    "extend": N_("extending the term"),
    "fallback": N_("sign-in without the directory"),
    "finish": N_("finishing"),
    "forget": N_("deleting"),
    "forward": N_("forwarding"),
    "goals": N_("goals"),
    "hand_over": N_("handing over"),
    "hang_up": N_("hanging up"),
    "hide": N_("hiding"),
    "identity": N_("name in an external system"),
    "import": N_("importing"),
    "interim": N_("interim answer"),
    "issue": N_("submitting"),
    "key_removed": N_("removing its key"),
    "limits": N_("limits"),
    "link": N_("linking"),
    "list": N_("viewing a list"),
    "listen": N_("listening"),
    "make": N_("creating"),
    "mask": N_("request to be masked"),
    "mask_again": N_("masking again after a restore"),
    "masked": N_("masking"),
    "measure": N_("a disciplinary measure"),
    "member": N_("assigning employees"),
    "move": N_("moving"),
    "opt_in": N_("opting in to messages"),
    "opt_out": N_("opting out of messages"),
    "password": N_("new password"),
    "phone": N_("new phone password"),
    "place": N_("placing"),
    "put": N_("putting in force"),
    "question": N_("returning with a question"),
    "read": N_("reading"),
    "record": N_("changing the record"),
    "refuse": N_("refused"),
    "register": N_("registering"),
    "release": N_("new version of the product"),
    "remove": N_("removing"),
    "rename": N_("renaming"),
    "reopen": N_("reopening"),
    "resend": N_("sending again"),
    "restore": N_("restoring"),
    "retire": N_("retiring"),
    "retry": N_("retrying"),
    "return": N_("returning for correction"),
    "reveal": N_("opening with a reason"),
    "revoke": N_("revoking"),
    "right": N_("right to listen"),
    "route": N_("directions"),
    "rule": N_("sending rule"),
    "save": N_("saving"),
    "schedule": N_("setting a time"),
    "seen": N_("marking as seen"),
    "send": N_("sending"),
    "send_back": N_("returning for rework"),
    "set": N_("setting"),
    "set_up": N_("automatic set-up"),
    "settle": N_("confirming the date"),
    "sheet": N_("recovery sheet"),
    "shift": N_("a new shift"),
    "show": N_("showing"),
    "sign_out": N_("signing out everywhere"),
    "take": N_("taking on"),
    "take_over": N_("taking over the call"),
    "tell": N_("request for the stored data"),
    "test": N_("test call"),
    "training": N_("training"),
    "undo": N_("withdrawing the answer"),
    "verify": N_("verifying"),
    "view": N_("viewing"),
    "whisper": N_("whispering to the operator"),
    "withdraw": N_("withdrawing a version"),
    "write": N_("writing"),
    "year": N_("filling in a year"),
}
# By complete action: labels that name the subject and what was done with it.
_COMPLETE_LABELS = {
    "login": N_("Sign-in"),
    "login.failed": N_("Sign-in refused"),
    "login.fallback": N_("Sign-in with the stored password while the directory was unavailable"),
    "login.second": N_("Second factor confirmed"),
    "login.second.failed": N_("Second factor refused"),
    "logout": N_("Sign-out"),
    "session.lock": N_("Page locked"),
    "session.unlock": N_("Page unlocked"),
    "session.unlock.failed": N_("Unlocking refused"),
    "replica.restart": N_("Continuous copy restarted"),
    "release.accepted": N_("Old or expired bundle accepted"),
    "release.in_force": N_("Release put in force"),
    "release.rolled_back": N_("Release rolled back"),
    "snapshot.keys_rotated": N_("Keys of the snapshots renewed"),
    "reading.unusual": N_("Unusual viewing"),
}
# Codes that have the label of another code.
_OPERATION_ALIASES = {"refused": "refuse", "state": "change", "create": "make"}
_SUBJECT_ALIASES = {"task": "follow_up", "outbox": "message"}


def subject_labels() -> dict[str, str]:
    """Return the labels of the subjects of audit entries, by the prefix of their actions.

    For instance "Appeal" for the prefix "appeal.". The labels are gettext's msgids, not translated
    yet.
    """
    aliases = {new: _SUBJECT_LABELS[old] for new, old in _SUBJECT_ALIASES.items()}
    return {f"{code}.": name for code, name in (_SUBJECT_LABELS | aliases).items()}


def action_labels(action: str) -> tuple[str, str]:
    """Return two labels (msgids of gettext) for an action: its subject, and what was done with it.

    For instance ("Appeal", "taking on") for the action "appeal.take". The second is "" if the first
    one says both. A subject or operation without a label is represented by its code, a part of
    `action`.
    """
    if label := _COMPLETE_LABELS.get(action):
        return label, ""
    labels = subject_labels()
    longest_prefix = max(
        (prefix for prefix in labels if action.startswith(prefix)), key=len, default=""
    )
    subject, operation = labels.get(longest_prefix, ""), action.removeprefix(longest_prefix)
    operation = operation.rpartition(".")[2]  # of "route.change", only "change" has a label
    return subject or action.partition(".")[0], _OPERATION_LABELS.get(
        _OPERATION_ALIASES.get(operation, operation), operation
    )


def has_labels(action: str) -> bool:
    """Return True if an action of the audit has labels, so that users see words instead of codes.

    It needs one for its subject and one for its operation, or one for both. Otherwise
    `action_labels` returns a code in place of a label.
    """
    subject, operation = action_labels(action)
    labels = {*_SUBJECT_LABELS.values(), *_COMPLETE_LABELS.values()}
    return subject in labels and (not operation or operation in _OPERATION_LABELS.values())
