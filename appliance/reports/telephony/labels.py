"""The labels of the telephony report, translated where pages, papers and workbooks show them."""

from appliance.core.i18n import N_
from appliance.reports.telephony.columns import COLUMNS

DIMENSIONS = {
    "topic": N_("Topic"),
    "call_type": N_("Type of call"),
    "call_direction": N_("Direction of the call"),
    "region": N_("Region"),
    "operator": N_("Operator"),
    "trunk": N_("Trunk"),
    "number": N_("Number called"),
    "language": N_("Language"),
}
TABLES = {
    **DIMENSIONS,
    "day": N_("Day"),
    "hour": N_("Hour"),
    "queue": N_("Queue"),
    "wait": N_("Wait"),
    "callers": N_("Repeat callers"),
    "transfers": N_("Transfers"),
    "workload": N_("Workload"),
    "states": N_("Time by state"),
    "rating": N_("Ratings"),
}

# the names of groups of calls without a value in a dimension
MISSING_VALUES = {
    "topic": N_("no topic"),
    "call_type": N_("type not stated"),
    "call_direction": N_("unknown"),
    "region": N_("no region"),
    "operator": N_("no conversation with an operator"),
    "trunk": N_("unknown"),
    "number": N_("unknown"),
    "language": N_("not chosen"),
}

NOT_GIVEN = N_("not specified")  # for an added field

# figures of the lines' columns, and figures outside the tables of lines
FIGURES = {
    **{column.figure: column.name for column in COLUMNS},
    "answer_speed_from_arrival": N_("Answer speed from arrival, s"),
    "abandon_rate": N_("Abandon rate, %"),
    "talk_total": N_("Total talk time"),
    "call_forms": N_("With form №2, %"),
    "occupancy": N_("Occupancy, %"),
    "wrap_up": N_("Wrap-up"),
    "adherence": N_("At work during shifts, %"),
    "curve": N_("Hung up by that time, % of calls that joined"),
}

# reasons for a pause that are not in the catalog
PAUSE_REASONS = {
    "": N_("no reason given"),
    "no_answer": N_("Did not answer"),
    "forced": N_("Set by the supervisor"),
}

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
KINDS = {
    "blind": N_("Immediately"),
    "attended": N_("After a consultation"),
    "automatic": N_("By rule"),
}

# the conditions that can restrict the calls of a list
CONDITIONS = {
    "outcome": N_("Outcome"),
    "short": N_("Hung up immediately"),
    "joined": N_("Joined a queue"),
    "wait": N_("Seconds of waiting"),
    "hour": N_("Hour"),
    "weekday": N_("Weekday"),
    "work": N_("Working hours"),
    "time": N_("Time of the day"),
    "days": N_("Days"),
    "direction": N_("Direction of the call"),
    "all": N_("Include rejected requests and test calls"),
    "rated": N_("Rating"),
    "appeal": N_("With an appeal"),
    "form": N_("With form №2"),
    "transfer": N_("Transferred calls"),
    "times": N_("Calls from the same number"),
    "caller": N_("Caller"),
    "task": N_("Missed caller"),
    "queue": N_("Queue"),
    "spoke": N_("Call partner"),
    "placed": N_("Called by"),
    "unanswered": N_("Unanswered ring"),
}
VALUES = {
    "1": N_("yes"),
    "0": N_("no"),
    "missed": N_("Missed"),
    "inside": N_("during working hours"),
    "outside": N_("not during working hours"),
    "outbound": N_("outgoing"),
    "both": N_("incoming and outgoing"),
    "left": N_("Left the queue otherwise"),
    "hidden": N_("hidden number"),
    "open": N_("Still in progress"),
    "any": N_("was given"),
    "eligible": N_("could have been given"),
    "responded": N_("requested and given"),
    "returned": N_("Returned to us"),
    **RESULTS,
    **KINDS,
}
