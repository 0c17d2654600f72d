"""Real directories of users: OpenLDAP and an OpenID provider; TLS on loopback addresses."""
