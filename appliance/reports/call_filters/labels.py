"""The labels of the parts of a call, in filters and in tables alike."""

from appliance.core.i18n import N_

# results of a visit to a queue and of a transfer
RESULTS = {
    "answered": N_("Answered"),
    "abandoned": N_("Hung up"),
    "overflow": N_("Moved to another queue"),
    "callback": N_("Asked to be called back"),
    "timed_out": N_("Nobody answered"),
    "failed": N_("Fault"),
    "busy": N_("Busy"),
    "no_answer": N_("No answer"),
}
# kinds of transfers
KINDS = {
    "blind": N_("Immediately"),
    "attended": N_("After a consultation"),
    "automatic": N_("By rule"),
}
YES_OR_NO = {"1": N_("yes"), "0": N_("no")}
IN_PROGRESS = {"open": N_("Still in progress")}
