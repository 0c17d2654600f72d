"""The labels of the telephony report; they are message ids, translated where they are shown."""

from appliance.core.i18n import N_
from appliance.reports.call_filters import DIMENSION_NAMES, FILTERS
from appliance.reports.telephony.columns import COLUMNS

TABLES = {
    **{name: FILTERS[name].label for name in DIMENSION_NAMES},
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

# the figures of the columns, and figures that are not in a column
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
