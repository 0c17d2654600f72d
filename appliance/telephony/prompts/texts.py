"""The texts of the prompts, by language: the default ones, and those of the plan in force."""

import functools
import tomllib
from pathlib import Path

import ivr
from appliance.people import accounts
from appliance.telephony import routing
from appliance.telephony.routing import Plan, Topic

TEXTS_FOLDER = Path(ivr.__file__).parent / "prompts"
LANGUAGES = tuple(accounts.CALL_LANGUAGES)
NUMBER_PREFIX = "digits/"  # prefix of the names of parts of numbers and dates, as in Asterisk
# Asterisk's own prompts for queues with other announcements than this dialplan's: never played
# here.
_UNUSED_PROMPTS = frozenset(
    f"queue-{name}" for name in ("callswaiting", "thankyou", "minute", "minutes", "seconds")
)
_CALLBACK_OFFER = "callback-offer"  # its default text names the key 9
_KEY_WORDS = {
    language: tuple(words.split())
    for language, words in (
        ("uz", "nolni birni ikkini uchni toʻrtni beshni oltini yettini sakkizni toʻqqizni"),
        ("ru", "ноль один два три четыре пять шесть семь восемь девять"),
    )
}


@functools.cache
def default_texts(language: str) -> dict[str, str]:
    """Name → default text of every prompt of a language; "" is a short silence."""
    folder = TEXTS_FOLDER / language
    texts = {file.stem: file.read_text("utf-8").strip() for file in sorted(folder.glob("*.txt"))}
    number_texts = tomllib.loads((folder / "digits.toml").read_text("utf-8"))
    return texts | {f"{NUMBER_PREFIX}{name}": text for name, text in number_texts.items()}


def plan_texts(language: str) -> dict[str, str]:
    """Name → text of the prompts that name keys of the plan in force; empty without a plan.

    The topic menu has a prompt for each of its levels.
    """
    version = routing.newest_version()
    return texts_of_plan(Plan.from_json(version.document), language) if version else {}


def texts_of_plan(plan: Plan, language: str) -> dict[str, str]:
    """Name → text of the prompts that name keys or topics of a plan."""
    key_words = _KEY_WORDS[language]
    offer = default_texts(language)[_CALLBACK_OFFER].replace(
        key_words[9], key_words[int(plan.callback.key)]
    )
    announcements = _topic_announcements(plan.topics, language) if plan.queueing.whisper else {}
    return {_CALLBACK_OFFER: offer} | _topic_menus(plan.topics, language) | announcements


def _topic_menus(menu: tuple[Topic, ...], language: str) -> dict[str, str]:
    """Name → text of the prompt for each level of the topic menu."""
    levels: dict[str, list[str]] = {}
    for topic in sorted(menu, key=lambda topic: topic.keys):
        level = topic.keys[:-1]
        name = f"topics-{level}" if level else "topics"
        levels.setdefault(name, []).append(_choice_text(topic, language))
    return {name: " ".join(choices) for name, choices in levels.items()}


def _topic_announcements(menu: tuple[Topic, ...], language: str) -> dict[str, str]:
    """Name → text of the topic, played to the operator before the call is connected."""
    return {
        f"topic-{topic.code}": f"{topic.ru if language == 'ru' else topic.uz}."
        for topic in menu
        if topic.code
    }


def all_texts(language: str) -> dict[str, str]:
    """Name → text of every prompt of a language, without changes made by people."""
    return default_texts(language) | plan_texts(language)


def audible_texts(language: str) -> dict[str, str]:
    """Name → text of every prompt of a language that the dialplan can play."""
    return {name: text for name, text in all_texts(language).items() if name not in _UNUSED_PROMPTS}


def _choice_text(topic: Topic, language: str) -> str:
    key = _KEY_WORDS[language][int(topic.keys[-1])]
    if language == "ru":
        return f"{topic.ru}: нажмите {key}."
    return f"{topic.uz}: {key} bosing."
