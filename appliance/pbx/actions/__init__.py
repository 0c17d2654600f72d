"""The actions on Asterisk that pages, jobs and commands may request.

Each action first checks that the call and the phone are in the required state, and raises
ActionRefused with a code if they are not. So a second press of a button is refused and changes
nothing.
"""

from appliance.pbx.actions import states
from appliance.pbx.actions.config import (
    APPLIED_TOPIC,
    PlanRejected,
    apply_plan,
    change_trunk_password,
    rehearse_call,
    reload_changed_files,
)
from appliance.pbx.actions.dialling import dial_number, hang_up_phone
from appliance.pbx.actions.line_trial import start_line_trial
from appliance.pbx.actions.lines import Channel, Line, phone_line
from appliance.pbx.actions.resuming import has_sound, resume_talk
from appliance.pbx.actions.states import (
    apply_states,
    choose_state,
    reload_asterisk,
    sync_queue_members,
)
from appliance.pbx.actions.supervising import (
    SUPERVISION_MODES,
    stop_supervising,
    supervise_talk,
    take_over_talk,
)
from appliance.pbx.actions.transfers import (
    join_caller,
    return_to_caller,
    start_conference,
    start_consultation,
    transfer_blind,
)
from appliance.pbx.ami import ActionRefused, Unreachable
from appliance.pbx.originate import record_prompt
from appliance.pbx.rehearsal import RehearsalCall, RehearsalEvent
from appliance.pbx.selftest import place_carrier_calls, place_synthetic_call

__all__ = [
    "SUPERVISION_MODES",
    "APPLIED_TOPIC",
    "Line",
    "PlanRejected",
    "ActionRefused",
    "RehearsalCall",
    "RehearsalEvent",
    "Unreachable",
    "return_to_caller",
    "transfer_blind",
    "change_trunk_password",
    "choose_state",
    "start_conference",
    "start_consultation",
    "dial_number",
    "hang_up_phone",
    "join_caller",
    "reload_changed_files",
    "phone_line",
    "place_carrier_calls",
    "sync_queue_members",
    "apply_plan",
    "apply_states",
    "record_prompt",
    "rehearse_call",
    "reload_asterisk",
    "resume_talk",
    "has_sound",
    "stop_supervising",
    "supervise_talk",
    "place_synthetic_call",
    "take_over_talk",
    "start_line_trial",
    "Channel",
    "states",
]
