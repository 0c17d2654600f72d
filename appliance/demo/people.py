"""Applicants and appeals of a synthetic history; nobody of them lives."""

import datetime as dt
import random
from typing import Any

from appliance.core.i18n import fold
from appliance.demo.story import Story
from appliance.demo.world import World
from appliance.models import NumberSeries

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
