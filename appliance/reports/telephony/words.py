"""The words of the telephony report, translated where they are shown: pages, papers, workbooks."""

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

# what a call of no part of a dimension is called
WITHOUT = {
    "topic": N_("no topic"),
    "call_type": N_("type not told"),
    "call_direction": N_("unknown"),
    "region": N_("no region"),
    "operator": N_("no operator spoke"),
    "trunk": N_("unknown"),
    "number": N_("unknown"),
    "language": N_("not chosen"),
}

NOT_GIVEN = N_("not given")  # of an added field

# of a line, and what stands outside the tables of lines
FIGURES = {
    **{column.figure: column.name for column in COLUMNS},
    "answer_speed_from_arrival": N_("Answer speed from arrival, s"),
    "abandon_rate": N_("Abandon rate, %"),
    "talk_total": N_("Talk in all"),
    "call_forms": N_("With form №2, %"),
    "occupancy": N_("Occupancy, %"),
    "wrap_up": N_("Wrap-up"),
    "adherence": N_("At work in shifts, %"),
    "curve": N_("Hung up by then, % of those who joined"),
}

# why an operator was on a pause, when it is on no list
REASONS = {
    "": N_("no reason told"),
    "no_answer": N_("Not answered"),
    "forced": N_("By the supervisor"),
}

RESULTS = {
    "answered": N_("Answered"),
    "abandoned": N_("Hung up"),
    "overflow": N_("Passed to another queue"),
    "callback": N_("Asked to be called back"),
    "timed_out": N_("Nobody answered"),
    "failed": N_("Fault"),
    "busy": N_("Busy"),
    "no_answer": N_("No answer"),
}
KINDS = {
    "blind": N_("At once"),
    "attended": N_("After a consultation"),
    "automatic": N_("By rule"),
}

# what may be asked of the calls of a list
CONDITIONS = {
    "outcome": N_("Outcome"),
    "short": N_("Hung up at once"),
    "joined": N_("Joined a queue"),
    "wait": N_("Seconds of wait"),
    "hour": N_("Hour"),
    "weekday": N_("Weekday"),
    "work": N_("Working hours"),
    "time": N_("Time of the day"),
    "days": N_("Days"),
    "direction": N_("Direction of the call"),
    "all": N_("Rejected ones and test calls too"),
    "rated": N_("Rating"),
    "appeal": N_("With an appeal"),
    "form": N_("With form №2"),
    "transfer": N_("Handed on"),
    "times": N_("Calls by the same number"),
    "caller": N_("Caller"),
    "task": N_("Missed caller"),
    "queue": N_("Queue"),
    "spoke": N_("Spoke with"),
    "placed": N_("Called by"),
    "unanswered": N_("Phone rang in vain"),
}
VALUES = {
    "1": N_("yes"),
    "0": N_("no"),
    "missed": N_("Missed"),
    "inside": N_("inside"),
    "outside": N_("outside"),
    "outbound": N_("outgoing"),
    "both": N_("incoming and outgoing"),
    "left": N_("Left otherwise"),
    "hidden": N_("hidden number"),
    "open": N_("Still going on"),
    "any": N_("given"),
    "eligible": N_("could be given"),
    "responded": N_("asked for and given"),
    "returned": N_("Caller came back"),
    **RESULTS,
    **KINDS,
}
