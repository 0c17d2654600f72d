"""The spoken texts, by language: those that come along, and those of the plan in force."""

import functools
import tomllib
from pathlib import Path

import ivr
from appliance.people import accounts
from appliance.telephony import routing
from appliance.telephony.routing import Plan, Topic

TEXTS = Path(ivr.__file__).parent / "prompts"
LANGUAGES = tuple(accounts.CALL_LANGUAGES)
NUMBERS = "digits/"  # names that begin so are parts of numbers and dates, as Asterisk names them
# Asterisk has these for queues that speak otherwise than ours: here nobody hears them.
_UNHEARD = frozenset(
    f"queue-{name}" for name in ("callswaiting", "thankyou", "minute", "minutes", "seconds")
)
_OFFER = "callback-offer"  # as it comes along, it names the key 9
_KEYS = {
    language: tuple(words.split())
    for language, words in (
        ("uz", "nolni birni ikkini uchni toʻrtni beshni oltini yettini sakkizni toʻqqizni"),
        ("ru", "ноль один два три четыре пять шесть семь восемь девять"),
    )
}


@functools.cache
def defaults(language: str) -> dict[str, str]:
    """Name → text of every prompt of a language; "" is a short silence."""
    folder = TEXTS / language
    texts = {file.stem: file.read_text("utf-8").strip() for file in sorted(folder.glob("*.txt"))}
    parts = tomllib.loads((folder / "digits.toml").read_text("utf-8"))
    return texts | {f"{NUMBERS}{name}": text for name, text in parts.items()}


def planned(language: str) -> dict[str, str]:
    """Name → text of what names keys that the plan in force gives; without a plan nothing.

    The topic menu has a prompt for each of its levels.
    """
    version = routing.newest()
    return of_plan(Plan.from_json(version.document), language) if version else {}


def of_plan(current: Plan, language: str) -> dict[str, str]:
    """The same of any plan."""
    keys = _KEYS[language]
    offer = defaults(language)[_OFFER].replace(keys[9], keys[int(current.callback.key)])
    announced = _topic_announcements(current.topics, language) if current.queueing.whisper else {}
    return {_OFFER: offer} | _levels(current.topics, language) | announced


def _levels(menu: tuple[Topic, ...], language: str) -> dict[str, str]:
    levels: dict[str, list[str]] = {}
    for topic in sorted(menu, key=lambda topic: topic.keys):
        level = topic.keys[:-1]
        name = f"topics-{level}" if level else "topics"
        levels.setdefault(name, []).append(_choice(topic, language))
    return {name: " ".join(choices) for name, choices in levels.items()}


def _topic_announcements(menu: tuple[Topic, ...], language: str) -> dict[str, str]:
    """What an operator hears of the topic before the caller."""
    return {
        f"topic-{topic.code}": f"{topic.ru if language == 'ru' else topic.uz}."
        for topic in menu
        if topic.code
    }


def texts_of(language: str) -> dict[str, str]:
    """Name → text of every prompt of a language, before anybody changed one."""
    return defaults(language) | planned(language)


def spoken_texts(language: str) -> dict[str, str]:
    """The same without those that no caller of ours ever hears."""
    return {name: text for name, text in texts_of(language).items() if name not in _UNHEARD}


def _choice(topic: Topic, language: str) -> str:
    key = _KEYS[language][int(topic.keys[-1])]
    if language == "ru":
        return f"{topic.ru}: нажмите {key}."
    return f"{topic.uz}: {key} bosing."
