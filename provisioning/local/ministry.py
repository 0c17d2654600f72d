"""The ministry of the local site: invented departments, and the directions assigned to them."""

from appliance.casework import departments
from appliance.models import Department

# names in Uzbek (Latin, Cyrillic) and Russian; True for a body of its own; its directions
_DEPARTMENT_ROWS = (
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


def create_departments() -> int:
    """Create the departments of a site that has no departments; returns how many."""
    if Department.select().exists():
        return 0
    for names, own_body, directions in _DEPARTMENT_ROWS:
        columns = dict(zip(("name_uz_latn", "name_uz_cyrl", "name_ru"), names, strict=True))
        department = departments.add_department(columns, own_body, actor="local")
        for direction in directions:
            departments.route_direction(direction, department.id, actor="local")
    return len(_DEPARTMENT_ROWS)
