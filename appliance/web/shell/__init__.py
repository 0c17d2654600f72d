"""Common parts of all pages: access, languages, live sections, navigation, errors, limits."""
