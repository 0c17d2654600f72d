"""Keys by which the search of the command line compares translated names."""

import functools

from flask_babel import LazyString, force_locale

from appliance.core import search as index
from appliance.core.i18n import LOCALES


def key_in_all_languages(name: LazyString) -> str:
    """Return a name in all languages, folded for comparison.

    So an action or page is found in any language.
    """
    return _cached_key(name._args[0], name)


@functools.cache
def _cached_key(_message_id: str, name: LazyString) -> str:
    """Return what `key_in_all_languages` returns; computed once for each name.

    `_message_id` is needed only for the cache, which compares names as texts of the current
    language: two names may read the same in one language and differ in another.
    """
    names = []
    for language in LOCALES:
        with force_locale(language):
            names.append(str(name))
    return index.fold_names(*names)
