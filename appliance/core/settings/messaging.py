"""Settings of SMS, the Telegram bot, the people on duty, and the recipients of alarms."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

# The services Eskiz and Play Mobile, an operator's message centre by SMPP, or a local GSM modem.
SmsKind = Literal["eskiz", "playmobile", "smpp", "modem"]


@dataclass(frozen=True)
class SmsAccount:
    """An account at an SMS gateway (a service, an operator or a modem), over which SMS are sent."""

    name: str  # shown in lists; messages store it as their gateway
    kind: SmsKind
    url: str  # https://…; host:port of an SMPP centre; a modem's device
    user: str = ""  # the name of the account at the service
    password: str = ""  # for a modem, the PIN of its SIM card
    sender: str = ""  # the sender that citizens see: a short number or a registered name
    callback_secret: str = ""  # in the path of delivery reports; "": reports are not accepted
    approval: bool = False  # the service accepts only texts that it has approved
    replies: bool = False  # citizens can reply; a modem's number always accepts replies
    low_balance: int = 0  # if the balance is below it, the technician is warned; 0: never
    price: int = 0  # tiyin for each part of a message; 0: unknown

    @property
    def receives_replies(self) -> bool:
        """True if the appliance receives what citizens send to the sender's number."""
        return self.kind == "modem" or (self.kind == "smpp" and self.replies)


@dataclass(frozen=True)
class Messages:
    """How and when messages are sent to citizens; times of day are in the site's time."""

    public_url: str = ""  # the site's address for citizens, in links; "": no links are sent
    quiet_from: str = "21:00"  # from here on, messages that are not urgent wait until the morning
    quiet_to: str = "08:00"  # when the quiet hours end
    per_number: int = 6  # messages to one number within a day; further ones wait for the next day
    per_day: int = 3000  # messages that are not urgent, to all numbers within a day

    def __post_init__(self) -> None:
        """Raise ValueError if `quiet_from` or `quiet_to` is not a time of day, such as "21:00"."""
        for time in (self.quiet_from, self.quiet_to):
            dt.time.fromisoformat(time)


@dataclass(frozen=True)
class Telegram:
    """Settings of the bot that alerts the ministry's group, and the people on duty one by one.

    The appliance connects to Telegram, never the reverse.
    """

    token: str  # the bot's, from Telegram
    chat: int  # the group's id, negative
    url: str = "https://api.telegram.org"
    phone: Literal["masked", "full", "none"] = "masked"  # how the citizen's number is shown
    language: Literal["uz_Latn", "uz_Cyrl", "ru"] = "uz_Latn"
    # For which an appeal waits until somebody accepts it; then the next person on duty is asked.
    minutes: int = 15
    summary: str = "18:00"  # time of day of the daily summary; "": no summary

    def __post_init__(self) -> None:
        """Raise ValueError if the time of the summary is neither "" nor a time of day."""
        if self.summary:
            dt.time.fromisoformat(self.summary)


@dataclass(frozen=True)
class Duty:
    """A person on duty, asked to take an appeal if nobody in the Telegram group accepts it."""

    name: str
    chat: int = 0  # their chat with the bot; 0: no chat
    phone: str = ""  # for an SMS when nobody on duty has accepted the appeal either


@dataclass(frozen=True)
class Alarms:
    """Who receives the alarms about faults of the appliance; if empty, everybody on duty."""

    chat: int = 0  # a person's chat with the bot, or a group's; 0: no chat
    phones: tuple[str, ...] = ()  # for SMS
    language: Literal["uz_Latn", "uz_Cyrl", "ru"] = "uz_Latn"
