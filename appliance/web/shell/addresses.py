"""URL rules that are cheap to create: the application has hundreds of them."""

import functools
from collections.abc import Callable

from werkzeug.routing import Rule


class LazyRule(Rule):
    """A URL rule whose link builders are compiled when its first link is built.

    Werkzeug compiles two functions for each rule when it is added, and most are never called: they
    took nine tenths of the application's start time.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        """Return a link builder that is compiled by werkzeug's own method when first called."""
        compile_once = functools.cache(functools.partial(super()._compile_builder, append_unknown))
        return lambda rule, **values: compile_once()(rule, **values)
