"""The ministry of the local site: invented departments, and the directions that go to them."""

from appliance.casework import departments
from appliance.models import Department

# names in Uzbek (Latin, Cyrillic) and Russian, whether a body of its own, its directions
_DEPARTMENTS = (
    (
        ("Bandlik boshqarmasi", "Бандлик бошқармаси", "Управление занятости"),
        False,
        ("employment", "subsidies", "training", "labour_system"),
    ),
    (
        ("Mehnat inspeksiyasi", "Меҳнат инспекцияси", "Инспекция труда"),
        False,
        ("labour_violation", "pregnancy_violation"),
    ),
    (
        ("Migratsiya agentligi", "Миграция агентлиги", "Агентство миграции"),
        True,
        ("labour_migration",),
    ),
    (("Yuridik boʻlim", "Юридик бўлим", "Юридический отдел"), False, ("labour_advice",)),
)


def create() -> int:
    """Make the departments of a site that has none; returns how many."""
    if Department.select().exists():
        return 0
    for names, own_body, directions in _DEPARTMENTS:
        columns = dict(zip(("name_uz_latn", "name_uz_cyrl", "name_ru"), names, strict=True))
        made = departments.add(columns, own_body, by="local")
        for direction in directions:
            departments.send_direction(direction, made.id, by="local")
    return len(_DEPARTMENTS)
