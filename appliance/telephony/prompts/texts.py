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
# Asterisk's own prompts for announcements in queues that this dialplan never plays.
_UNUSED_PROMPTS = frozenset(
    f"queue-{name}" for name in ("callswaiting", "thankyou", "minute", "minutes", "seconds")
)
_CALLBACK_OFFER = "callback-offer"  # its default text says to press the key 9
_KEY_WORDS = {
    language: tuple(words.split())
    for language, words in (
        ("uz", "nolni birni ikkini uchni toʻrtni beshni oltini yettini sakkizni toʻqqizni"),
        ("ru", "ноль один два три четыре пять шесть семь восемь девять"),
    )
}


@functools.cache
def default_texts(language: str) -> dict[str, str]:
    """Return the default texts of all prompts of a language, by name; "" is a short silence."""
    folder = TEXTS_FOLDER / language
    texts = {file.stem: file.read_text("utf-8").strip() for file in sorted(folder.glob("*.txt"))}
    number_texts = tomllib.loads((folder / "digits.toml").read_text("utf-8"))
    return texts | {f"{NUMBER_PREFIX}{name}": text for name, text in number_texts.items()}


def plan_texts(language: str) -> dict[str, str]:
    """Return the texts, by name, of the prompts that depend on the plan in force.

    Empty if no plan was saved. See `texts_of_plan`.
    """
    version = routing.newest_version()
    return texts_of_plan(Plan.from_json(version.document), language) if version else {}


def texts_of_plan(plan: Plan, language: str) -> dict[str, str]:
    """Return the texts, by name, of the prompts that depend on a plan.

    They are the offer of a callback, a prompt for each level of the topic menu, and the names of
    topics that are announced to operators.
    """
    key_words = _KEY_WORDS[language]
    offer = default_texts(language)[_CALLBACK_OFFER].replace(
        key_words[9], key_words[int(plan.callback.key)]
    )
    announcements = _topic_announcements(plan.topics, language) if plan.queueing.whisper else {}
    return {_CALLBACK_OFFER: offer} | _topic_menus(plan.topics, language) | announcements


def _topic_menus(menu: tuple[Topic, ...], language: str) -> dict[str, str]:
    """Return the text of the prompt for each level of the topic menu, by the prompt's name."""
    levels: dict[str, list[str]] = {}
    for topic in sorted(menu, key=lambda topic: topic.keys):
        level = topic.keys[:-1]
        name = f"topics-{level}" if level else "topics"
        levels.setdefault(name, []).append(_choice_text(topic, language))
    return {name: " ".join(choices) for name, choices in levels.items()}


def _topic_announcements(menu: tuple[Topic, ...], language: str) -> dict[str, str]:
    """Return the texts, by name, of the prompts that announce a call's topic to the operator."""
    return {
        f"topic-{topic.code}": f"{topic.ru if language == 'ru' else topic.uz}."
        for topic in menu
        if topic.code
    }


def all_texts(language: str) -> dict[str, str]:
    """Return the texts of all prompts of a language, by name, before any change by people."""
    return default_texts(language) | plan_texts(language)


def audible_texts(language: str) -> dict[str, str]:
    """Return the texts of all prompts of a language that the dialplan can play, by name."""
    return {name: text for name, text in all_texts(language).items() if name not in _UNUSED_PROMPTS}


def _choice_text(topic: Topic, language: str) -> str:
    key = _KEY_WORDS[language][int(topic.keys[-1])]
    if language == "ru":
        return f"{topic.ru}: нажмите {key}."
    return f"{topic.uz}: {key} bosing."
