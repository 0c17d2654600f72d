"""What every page stands in: access, languages, live sections, navigation, errors, limits."""
