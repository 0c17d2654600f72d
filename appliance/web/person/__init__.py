"""Sign-in, and the personal settings of a user."""
