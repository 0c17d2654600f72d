"""Parties that know people: a real OpenLDAP, a real OpenID provider; TLS on loopback addresses."""
