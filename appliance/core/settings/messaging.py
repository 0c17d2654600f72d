"""Short messages, the bot, who is on duty, who gets alarms."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

SmsKind = Literal["eskiz", "playmobile", "smpp", "modem"]


@dataclass(frozen=True)
class SmsAccount:
    """An account at an SMS gateway."""

    name: str
    kind: SmsKind
    url: str  # https://…; host:port of an SMPP centre; a modem's device
    user: str = ""
    password: str = ""
    sender: str = ""
    callback_secret: str = ""  # in the path of the service's delivery reports; "": none are taken
    approval: bool = False  # the service takes only texts that it has approved
    replies: bool = False  # citizens can answer; a modem's number always takes answers
    low_balance: int = 0  # below it the technician is warned; 0: never
    price: int = 0  # tiyin for each part of a message; 0: not known

    @property
    def takes_replies(self) -> bool:
        """Whether what citizens send to the sender's number reaches us."""
        return self.kind == "modem" or (self.kind == "smpp" and self.replies)


@dataclass(frozen=True)
class Messages:
    """How citizens are written to."""

    public_url: str = ""  # how citizens' phones reach the site, for links; "": no links are sent
    quiet_from: str = "21:00"  # what can wait waits through the night
    quiet_to: str = "08:00"
    per_number: int = 6  # messages to one number within a day; more wait for the next one
    per_day: int = 3000  # of what can wait, to all numbers within a day

    def __post_init__(self) -> None:
        for moment in (self.quiet_from, self.quiet_to):
            dt.time.fromisoformat(moment)


@dataclass(frozen=True)
class Telegram:
    """The bot that alerts the ministry's group; it only ever connects outwards."""

    token: str
    chat: int  # the group's id, negative
    url: str = "https://api.telegram.org"
    phone: Literal["masked", "full", "none"] = "masked"  # how the citizen's number is shown
    language: Literal["uz_Latn", "uz_Cyrl", "ru"] = "uz_Latn"
    minutes: int = 15  # without a taker, then the next on the duty list is asked
    summary: str = "18:00"  # time of day of the daily summary; "": none

    def __post_init__(self) -> None:
        if self.summary:
            dt.time.fromisoformat(self.summary)


@dataclass(frozen=True)
class Duty:
    """Somebody on duty, asked when nobody of the group takes an appeal."""

    name: str
    chat: int = 0  # with the bot; 0: none
    phone: str = ""  # for an SMS when nobody of the list has taken it either


@dataclass(frozen=True)
class Alarms:
    """Whom faults of the box are told to; nobody here: everybody on duty."""

    chat: int = 0  # with the bot, or a group's; 0: none
    phones: tuple[str, ...] = ()  # for SMS
    language: Literal["uz_Latn", "uz_Cyrl", "ru"] = "uz_Latn"
