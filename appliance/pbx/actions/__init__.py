"""What pages, jobs and commands may ask of Asterisk.

Each action looks first whether the call and the phone are in the state for it, and raises Refused
with a code where they are not: pressed twice, the second press is refused and changes nothing.
"""

from appliance.pbx.actions.config import (
    TAKEN,
    NotTaken,
    change_trunk,
    keep_up,
    put_plan,
    rehearse,
)
from appliance.pbx.actions.dialling import dial, hang_up
from appliance.pbx.actions.line_trial import try_line
from appliance.pbx.actions.lines import Line, line
from appliance.pbx.actions.resuming import resume, speaks
from appliance.pbx.actions.states import choose_state, make_agree, put_states_in_force, reload
from appliance.pbx.actions.supervising import MODES, stop_supervising, supervise, take_over
from appliance.pbx.actions.transfers import back, blind, conference, consult, join
from appliance.pbx.ami import Refused, Unreachable
from appliance.pbx.originate import record_prompt
from appliance.pbx.rehearsal import Rehearsed, Station
from appliance.pbx.selftest import over_carriers, synthetic_call

__all__ = [
    "MODES",
    "TAKEN",
    "Line",
    "NotTaken",
    "Refused",
    "Rehearsed",
    "Station",
    "Unreachable",
    "back",
    "blind",
    "change_trunk",
    "choose_state",
    "conference",
    "consult",
    "dial",
    "hang_up",
    "join",
    "keep_up",
    "line",
    "over_carriers",
    "make_agree",
    "put_plan",
    "put_states_in_force",
    "record_prompt",
    "rehearse",
    "reload",
    "resume",
    "speaks",
    "stop_supervising",
    "supervise",
    "synthetic_call",
    "take_over",
    "try_line",
]
