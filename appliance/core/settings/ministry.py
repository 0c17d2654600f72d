"""The ministry's own system."""

from dataclasses import dataclass, field

from appliance.core.settings.checks import known

# What the ministry's system is sent of an appeal; made by ministry.mapping.
MINISTRY_FIELDS = (
    *("number", "version", "state", "department", "received_at", "registered_on", "due_on"),
    *("answered_on", "answer", "applicant_kind", "appeal_type", "appeal_type_text", "call_type"),
    *("call_type_text", "direction", "direction_text", "group", "group_text", "employment"),
    *("employment_text", "openness", "first_name", "surname", "entity_name", "stir", "sex"),
    *("passport", "pinfl", "born_on", "born_text", "region", "region_text", "district"),
    *("district_text", "mahalla", "mahalla_text", "address", "phone", "phone_at_hand", "gist"),
)


MINISTRY_CODES: dict[str, tuple[str, ...]] = {  # list → our codes, where they never change
    "state": ("registered", "taken", "returned", "answered", "closed"),
    "applicant_kind": ("person", "entity"),
    "openness": ("open", "personal"),
    "sex": ("m", "f"),
    **dict.fromkeys(("appeal_type", "call_type", "direction", "group", "employment"), ()),
    **dict.fromkeys(("department", "region", "district", "mahalla"), ()),
}
MINISTRY_ACTIONS = (
    *("take", "answer", "interim", "return", "extend", "dismiss", "close", "reopen"),
    *("acknowledged", "refused"),
)


@dataclass(frozen=True)
class Ministry:
    """The ministry's own system: its address, or only keys for signed files; names and codes."""

    url: str = ""  # where its interface begins; "": signed files only
    token: str = ""
    user: str = ""  # with a password, when there is no token
    password: str = ""
    every: int = 60  # seconds between two questions for answers
    own_key: str = ""  # file: our private key, Ed25519 in PEM
    their_key: str = ""  # file: the ministry's public key
    fields: dict[str, str] = field(default_factory=dict)  # our name → theirs; "": left out
    codes: dict[str, dict[str, str]] = field(default_factory=dict)  # list → our code → theirs
    actions: dict[str, str] = field(default_factory=dict)  # their word for what was done → ours

    def __post_init__(self) -> None:
        known("ministry.fields", self.fields, MINISTRY_FIELDS)
        known("ministry.codes", self.codes, MINISTRY_CODES)
        for name, codes in self.codes.items():
            known(f"ministry.codes.{name}", codes, MINISTRY_CODES[name] or codes)
        known("ministry.actions", self.actions.values(), MINISTRY_ACTIONS)
        called: dict[str, list[str]] = {}
        for name in MINISTRY_FIELDS:
            if name in self.fields or not name.endswith("_text"):  # those make way
                called.setdefault(self.fields.get(name, name), []).append(name)
        for theirs, ours in called.items():
            if theirs and len(ours) > 1:
                raise ValueError(f"ministry.fields: {', '.join(ours)} are {theirs} all at once")
