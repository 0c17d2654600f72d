"""Routes that are quick to make: the application has hundreds of them."""

import functools
from collections.abc import Callable

from werkzeug.routing import Rule


class Route(Rule):
    """A rule whose links are compiled when the first of them is made.

    Werkzeug compiles two functions for each rule as it is added, and most are never called: they
    took nine tenths of the time in which the application starts.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = functools.cache(functools.partial(super()._compile_builder, append_unknown))
        return lambda rule, **values: compiled()(rule, **values)
