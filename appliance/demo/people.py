"""Invented applicants, appeals and forms №2 of a synthetic history."""

import datetime as dt
import functools
import random
from typing import Any

from appliance.casework import call_forms
from appliance.core.i18n import fold_text
from appliance.demo.story import SyntheticCall
from appliance.demo.world import SiteProfile
from appliance.models import CallNumberSeries, NumberSeries

MEN = ("Aziz", "Botir", "Davron", "Farhod", "Islom", "Jahongir", "Murod", "Otabek", "Ulugʻbek")
WOMEN = ("Barno", "Dildora", "Feruza", "Gulnora", "Kamola", "Lola", "Nigora", "Saodat", "Zilola")
SURNAMES = ("Abdullayev", "Boboyev", "Ergashev", "Gʻaniyev", "Hakimov", "Joʻrayev", "Nazarov")
TYPES = ("application", "complaint", "proposal")
GISTS = (
    "Ish topishda yordam soʻraydi.",
    "Subsidiya ajratilishi haqida maʼlumot soʻraydi.",
    "Ish haqi toʻlanmaganidan shikoyat qiladi.",
    "Monomarkazda oʻqish tartibini soʻraydi.",
)
ANSWERS = ("Tartib tushuntirildi.", "Manzil va telefon aytildi.", "Saytda koʻrsatib oʻtildi.")
CALL_TYPES = ("question", "consultation", "status", "thanks", "other", *call_forms.EMPTY_CALL_TYPES)
CALL_TYPE_WEIGHTS = (45, 25, 12, 4, 5, 4, 4, 1)
NO_FORM_PROBABILITY = 0.15  # that an answered call that led to no appeal has no form №2 either


class AppealGenerator:
    """Generates the appeals of calls; their numbers continue the existing series."""

    def __init__(self, world: SiteProfile, seed: int, first_applicant: int) -> None:
        self.chance = random.Random(f"appeals {seed}")  # noqa: S311  no secret
        self.next_applicant_id = first_applicant
        self.tz = world.calendar.tz
        self.operator_ids = {operator.login: operator.id for operator in world.operators}
        self.last_numbers = {line.year: line.last for line in NumberSeries.select()}

    def appeal_rows(self, story: SyntheticCall) -> tuple[dict[str, Any], dict[str, Any]]:
        """The rows of the applicant and of the appeal that result from a call."""
        region, district, direction = story.appeal or ("", "", "")
        is_woman = self.chance.random() < 0.5
        name = self.chance.choice(WOMEN if is_woman else MEN)
        surname = self.chance.choice(SURNAMES) + ("a" if is_woman else "")
        registered_at = story.talks[0].ended_at + dt.timedelta(seconds=20)
        applicant = {
            "id": self.next_applicant_id,
            "kind": "person",
            "first_name": name,
            "surname": surname,
            "sex": "f" if is_woman else "m",
            "phone": story.caller or "",
            "search_key": fold_text(f"{surname} {name}"),
            "created_at": registered_at,
        }
        needs_consultation = self.chance.randrange(100) == 0
        appeal = {
            "number": self._next_number(registered_at),
            "call_id": story.id,
            "applicant": self.next_applicant_id,
            "operator": self.operator_ids[story.talks[0].who],
            "received_at": story.arrived_at,
            "registered_at": registered_at,
            "applicant_kind": "person",
            "appeal_type": self.chance.choice(TYPES),
            "direction": direction,
            "first_name": name,
            "surname": surname,
            "region": region or None,
            "district": district or None,
            "region_text": "" if region else "Olmaota",
            "sex": applicant["sex"],
            "phone": applicant["phone"],
            "openness": self.chance.choice(("open", "personal")),
            "gist": self.chance.choice(GISTS),
            "consultation": needs_consultation,
            "consultation_issue": "Ish haqi boʻyicha maslahat" if needs_consultation else "",
        }
        self.next_applicant_id += 1
        return applicant, appeal

    def number_series_rows(self) -> list[dict[str, Any]]:
        """The rows of the number series: the last number of each year."""
        return [{"year": year, "last": last} for year, last in sorted(self.last_numbers.items())]

    def _next_number(self, time: dt.datetime) -> str:
        year = time.astimezone(self.tz).year
        self.last_numbers[year] = self.last_numbers.get(year, 0) + 1
        return f"{year}-{self.last_numbers[year]:06}"


class CallFormGenerator:
    """Generates form №2 for most answered calls; their numbers continue the existing series."""

    def __init__(self, world: SiteProfile, seed: int) -> None:
        self.chance = random.Random(f"call forms {seed}")  # noqa: S311  no secret
        self.world = world
        self.operator_ids = {operator.login: operator.id for operator in world.operators}
        self.last_numbers = {line.year: line.last for line in CallNumberSeries.select()}

    def call_form_row(
        self, story: SyntheticCall, appeal: dict[str, Any] | None
    ) -> dict[str, Any] | None:
        """Return the row of a call's form №2, if it has one.

        Its contents are those of the call's appeal, or else invented.
        """
        operator = self.operator_ids.get(story.by or (story.talks[0].who if story.talks else ""))
        has_talk = story.talks and story.direction != "internal" and not story.synthetic
        if not operator or not has_talk:
            return None
        if not appeal and self.chance.random() < NO_FORM_PROBABILITY:
            return None
        content = self._appeal_content(appeal) if appeal else self._random_content(story)
        registered_at = story.talks[0].ended_at + dt.timedelta(seconds=20)
        return {
            "number": self._next_number(registered_at),
            "call_id": story.id,
            "operator": operator,
            "received_at": story.arrived_at,
            "registered_at": registered_at,
            "phone": (story.callee if story.direction == "outbound" else story.caller) or "",
            "call_direction": _form_direction(story),
            "search_key": _search_key(*(content[name] for name in _SEARCHED_FIELDS)),
        } | content

    def _appeal_content(self, appeal: dict[str, Any]) -> dict[str, Any]:
        shared_fields = (
            "surname",
            "first_name",
            "sex",
            "region",
            "region_text",
            "direction",
            "gist",
        )
        return {name: appeal[name] for name in shared_fields} | {
            "appeal_number": appeal["number"],
            "call_type": "appeal",
            "operator_answer": "",
        }

    def _random_content(self, story: SyntheticCall) -> dict[str, Any]:
        chance = self.chance
        kind = chance.choices(CALL_TYPES, CALL_TYPE_WEIGHTS)[0]
        is_silent = kind in call_forms.EMPTY_CALL_TYPES
        is_woman = chance.random() < 0.5
        surname = chance.choice(SURNAMES) + ("a" if is_woman else "")
        name = chance.choice(WOMEN if is_woman else MEN)
        topic = story.topic or chance.choice(self.world.directions)
        gist, answer = chance.choice(GISTS), chance.choice(ANSWERS)
        return {
            "surname": "" if is_silent else surname,
            "first_name": "" if is_silent else name,
            "sex": "" if is_silent else "f" if is_woman else "m",
            "region": None if is_silent else chance.choice(self.world.regions)[0],
            "region_text": "",
            "direction": story.topic or "" if is_silent else topic,
            "gist": "" if is_silent else gist,
            "appeal_number": "",
            "call_type": kind,
            "operator_answer": "" if is_silent else answer,
        }

    def number_series_rows(self) -> list[dict[str, Any]]:
        """The rows of the number series: the last number of each year."""
        return [{"year": year, "last": last} for year, last in sorted(self.last_numbers.items())]

    def _next_number(self, time: dt.datetime) -> str:
        year = time.astimezone(self.world.calendar.tz).year
        self.last_numbers[year] = self.last_numbers.get(year, 0) + 1
        return f"Q-{year}-{self.last_numbers[year]:06}"


def _form_direction(story: SyntheticCall) -> str:
    if story.direction == "outbound":
        return "outgoing"
    return "transferred" if any(t.party == "employee" for t in story.talks) else "incoming"


_SEARCHED_FIELDS = ("surname", "first_name", "gist", "operator_answer")


@functools.cache
def _search_key(*texts: str) -> str:
    return fold_text(" ".join(texts))
