"""Settings of the interface to the ministry's own system."""

from dataclasses import dataclass, field

from appliance.core.settings.checks import check_names

# The fields of an appeal that the ministry's system receives; built by ministry.mapping.
MINISTRY_FIELDS = (
    *("number", "version", "state", "department", "received_at", "registered_on", "due_on"),
    *("answered_on", "answer", "applicant_kind", "appeal_type", "appeal_type_text", "call_type"),
    *("call_type_text", "direction", "direction_text", "group", "group_text", "employment"),
    *("employment_text", "openness", "first_name", "surname", "entity_name", "stir", "sex"),
    *("passport", "pinfl", "born_on", "born_text", "region", "region_text", "district"),
    *("district_text", "mahalla", "mahalla_text", "address", "phone", "phone_at_hand", "gist"),
)


# The lists whose values have a code at the ministry, with the appliance's own codes; () means that
# users maintain the list, so that any code is allowed.
MINISTRY_CODES: dict[str, tuple[str, ...]] = {
    "state": ("registered", "taken", "returned", "answered", "closed"),
    "applicant_kind": ("person", "entity"),
    "openness": ("open", "personal"),
    "sex": ("m", "f"),
    **dict.fromkeys(("appeal_type", "call_type", "direction", "group", "employment"), ()),
    **dict.fromkeys(("department", "region", "district", "mahalla"), ()),
}
# What the ministry's system can report about an appeal, by the appliance's own names.
MINISTRY_ACTIONS = (
    *("take", "answer", "interim", "return", "extend", "dismiss", "close", "reopen"),
    *("acknowledged", "refused"),
)


@dataclass(frozen=True)
class Ministry:
    """How the ministry's system is reached, and the names and codes that it uses.

    If `url` is set, requests are sent to it. If it is "", appeals and answers are exchanged only as
    signed files, which people carry: then only the two keys need to be set.
    """

    url: str = ""  # the base URL of its interface; "": signed files only
    token: str = ""  # identifies the appliance to the ministry's system
    user: str = ""  # with a password, if there is no token
    password: str = ""
    every: int = 60  # seconds between two requests for answers
    own_key: str = ""  # file with our private key, Ed25519 in PEM
    their_key: str = ""  # file with the ministry's public key
    fields: dict[str, str] = field(default_factory=dict)  # our name → theirs; "": left out
    codes: dict[str, dict[str, str]] = field(default_factory=dict)  # by list: our code → theirs
    actions: dict[str, str] = field(default_factory=dict)  # their name of an action → ours

    def __post_init__(self) -> None:
        """Raise ValueError if `fields`, `codes` or `actions` are invalid.

        They are if an own name or code in them is unknown, or if two fields have the same name in
        the ministry's system.
        """
        check_names("ministry.fields", self.fields, MINISTRY_FIELDS)
        check_names("ministry.codes", self.codes, MINISTRY_CODES)
        for name, codes in self.codes.items():
            # If users maintain the list, any code of it is allowed.
            check_names(f"ministry.codes.{name}", codes, MINISTRY_CODES[name] or codes)
        check_names("ministry.actions", self.actions.values(), MINISTRY_ACTIONS)
        # By each name in their system, our fields that are sent under it: an unset field under our
        # own name.
        sources: dict[str, list[str]] = {}
        for name in MINISTRY_FIELDS:
            if name in self.fields or not name.endswith("_text"):  # unset texts never conflict
                sources.setdefault(self.fields.get(name, name), []).append(name)
        for their_name, our_names in sources.items():
            if their_name and len(our_names) > 1:
                raise ValueError(
                    f"ministry.fields: {', '.join(our_names)} are {their_name} all at once"
                )
