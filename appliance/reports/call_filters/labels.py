"""Labels of transfers and of visits to queues, for filters and tables."""

from appliance.core.i18n import N_

# the results of transfers and of visits to queues (a visit is one wait in a queue)
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
