"""Appeals and calls as tests create them: a full form №1, a call, its talk, a registration."""

import datetime as dt
from zoneinfo import ZoneInfo

from appliance.casework import catalogs, departments
from appliance.casework.appeals import registering
from appliance.casework.forms import drafts
from appliance.core.settings import Settings
from appliance.models import Appeal, Call, Department, Talk, User
from tests.rig.citizen import CITIZEN_NUMBER

ARRIVED = dt.datetime(2026, 11, 24, 9, 30, tzinfo=ZoneInfo("Asia/Tashkent"))
FULL_FORM = {
    "applicant_kind": "person",
    "appeal_type": "application",
    "first_name": "Gulchehra",
    "surname": "Yoʻldosheva",
    "call_type": "appeal",
    "region": "1718",
    "district": "1718236",
    "mahalla_text": "Koʻktepa yangi",
    "address": "Navroʻz koʻchasi, 12-uy",
    "passport": "AB 1234567",
    "pinfl": "4 020190 205 001 0",
    "sex": "f",
    "born": "02.01.1990",
    "group": "low_income_family",
    "phone": "93 555 01 47",
    "phone_at_hand": "",
    "employment_text": "Vaqtincha ishsiz",
    "openness": "open",
    "direction": "subsidies",
    "gist": "Tikuv mashinasi uchun subsidiya soʻragan.",
}


def add_labour_department() -> Department:
    """Create the department to which appeals about subsidies go."""
    department = departments.add_department(
        {"name_uz_latn": "Bandlik boshqarmasi"}, own_body=False, actor="sherzod"
    )
    departments.route_direction("subsidies", department.id, actor="sherzod")
    return department


def create_call(id: str = "1.1", caller: str | None = CITIZEN_NUMBER) -> Call:
    """A stored call that arrived at ARRIVED."""
    call: Call = Call.create(
        id=id, direction="inbound", arrived_at=ARRIVED, caller=caller, stage="talk", menu=[]
    )
    return call


def start_talk(operator: User, call: Call) -> None:
    """Let an operator talk with the caller."""
    Talk.create(
        call=call, position=1, party="operator", who=operator.login, started_at=call.arrived_at
    )


def create_appeal(
    settings: Settings,
    operator: User,
    values: dict[str, str],
    *,
    token: str = "",
) -> Appeal:
    """Register an appeal with these values; without a `token` it belongs to no call."""
    return registering.register(
        values,
        operator=operator,
        token=token or drafts.token_for(operator, None),
        tz=settings.tz,
        calendar=catalogs.working_calendar(settings),
    )
