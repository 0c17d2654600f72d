"""What a plan may not say: every fault with the field it stands in."""

from appliance.plan.shape import Plan


class Faults(ValueError):
    """A plan that cannot be; `by_field` has a code for each field at fault."""

    def __init__(self, by_field: dict[str, str]) -> None:
        super().__init__(", ".join(f"{field}: {code}" for field, code in by_field.items()))
        self.by_field = by_field


def check(plan: Plan) -> dict[str, str]:
    """Field → code of its fault; empty for a plan that can be put in force."""
    return {}
