"""Applicants, appeals and forms №2 of a synthetic history; nobody of them lives."""

import datetime as dt
import functools
import random
from typing import Any

from appliance.casework import call_forms
from appliance.core.i18n import fold
from appliance.demo.story import Story
from appliance.demo.world import World
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
CALL_TYPES = ("question", "consultation", "status", "thanks", "other", *call_forms.SILENT)
CALL_TYPE_WEIGHTS = (45, 25, 12, 4, 5, 4, 4, 1)
WITHOUT_FORM = 0.15  # of the answered calls that led to no appeal: about a tenth of all


class Appeals:
    """Makes an appeal of a call, with numbers that go on from the last one given."""

    def __init__(self, world: World, seed: int, first_applicant: int) -> None:
        self.chance = random.Random(f"appeals {seed}")  # noqa: S311  no secret
        self.applicant = first_applicant
        self.tz = world.calendar.tz
        self.ids = {operator.login: operator.id for operator in world.operators}
        self.last = {line.year: line.last for line in NumberSeries.select()}

    def make(self, story: Story) -> tuple[dict[str, Any], dict[str, Any]]:
        """The rows of the applicant and of the appeal that a call led to."""
        region, district, direction = story.appeal or ("", "", "")
        woman = self.chance.random() < 0.5
        name = self.chance.choice(WOMEN if woman else MEN)
        surname = self.chance.choice(SURNAMES) + ("a" if woman else "")
        registered_at = story.talks[0].ended_at + dt.timedelta(seconds=20)
        applicant = {
            "id": self.applicant,
            "kind": "person",
            "first_name": name,
            "surname": surname,
            "sex": "f" if woman else "m",
            "phone": story.caller or "",
            "search_key": fold(f"{surname} {name}"),
            "created_at": registered_at,
        }
        asked = self.chance.randrange(100) == 0
        appeal = {
            "number": self._number(registered_at),
            "call_id": story.id,
            "applicant": self.applicant,
            "operator": self.ids[story.talks[0].who],
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
            "consultation": asked,
            "consultation_issue": "Ish haqi boʻyicha maslahat" if asked else "",
        }
        self.applicant += 1
        return applicant, appeal

    def series(self) -> list[dict[str, Any]]:
        """The last number of each year."""
        return [{"year": year, "last": last} for year, last in sorted(self.last.items())]

    def _number(self, moment: dt.datetime) -> str:
        year = moment.astimezone(self.tz).year
        self.last[year] = self.last.get(year, 0) + 1
        return f"{year}-{self.last[year]:06}"


class CallForms:
    """Makes form №2 of most answered calls, with numbers that go on from the last one given."""

    def __init__(self, world: World, seed: int) -> None:
        self.chance = random.Random(f"call forms {seed}")  # noqa: S311  no secret
        self.world = world
        self.ids = {operator.login: operator.id for operator in world.operators}
        self.last = {line.year: line.last for line in CallNumberSeries.select()}

    def make(self, story: Story, appeal: dict[str, Any] | None) -> dict[str, Any] | None:
        """The row of a call's form №2: that of its appeal, or one of its own; None without one."""
        operator = self.ids.get(story.by or (story.talks[0].who if story.talks else ""))
        spoken = story.talks and story.direction != "internal" and not story.synthetic
        if not operator or not spoken:
            return None
        if not appeal and self.chance.random() < WITHOUT_FORM:
            return None
        told = self._of_appeal(appeal) if appeal else self._alone(story)
        registered_at = story.talks[0].ended_at + dt.timedelta(seconds=20)
        return {
            "number": self._number(registered_at),
            "call_id": story.id,
            "operator": operator,
            "received_at": story.arrived_at,
            "registered_at": registered_at,
            "phone": (story.callee if story.direction == "outbound" else story.caller) or "",
            "call_direction": _way(story),
            "search_key": _key(*(told[name] for name in _FOUND_BY)),
        } | told

    def _of_appeal(self, appeal: dict[str, Any]) -> dict[str, Any]:
        same = ("surname", "first_name", "sex", "region", "region_text", "direction", "gist")
        return {name: appeal[name] for name in same} | {
            "appeal_number": appeal["number"],
            "call_type": "appeal",
            "operator_answer": "",
        }

    def _alone(self, story: Story) -> dict[str, Any]:
        chance = self.chance
        kind = chance.choices(CALL_TYPES, CALL_TYPE_WEIGHTS)[0]
        silent = kind in call_forms.SILENT
        woman = chance.random() < 0.5
        surname = chance.choice(SURNAMES) + ("a" if woman else "")
        name = chance.choice(WOMEN if woman else MEN)
        topic = story.topic or chance.choice(self.world.directions)
        gist, answer = chance.choice(GISTS), chance.choice(ANSWERS)
        return {
            "surname": "" if silent else surname,
            "first_name": "" if silent else name,
            "sex": "" if silent else "f" if woman else "m",
            "region": None if silent else chance.choice(self.world.regions)[0],
            "region_text": "",
            "direction": story.topic or "" if silent else topic,
            "gist": "" if silent else gist,
            "appeal_number": "",
            "call_type": kind,
            "operator_answer": "" if silent else answer,
        }

    def series(self) -> list[dict[str, Any]]:
        """The last number of each year."""
        return [{"year": year, "last": last} for year, last in sorted(self.last.items())]

    def _number(self, moment: dt.datetime) -> str:
        year = moment.astimezone(self.world.calendar.tz).year
        self.last[year] = self.last.get(year, 0) + 1
        return f"Q-{year}-{self.last[year]:06}"


def _way(story: Story) -> str:
    if story.direction == "outbound":
        return "outgoing"
    return "transferred" if any(t.party == "employee" for t in story.talks) else "incoming"


_FOUND_BY = ("surname", "first_name", "gist", "operator_answer")


@functools.cache
def _key(*texts: str) -> str:
    return fold(" ".join(texts))
