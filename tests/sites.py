"""The settings file of a site under test: only its database is there."""

SETTINGS = """
trunks = [{ name = "carrier", address = "127.9.9.9" }]

[paths]
database = "site.db"
event_log = "cel.csv"
recordings = "recordings"
prompts = "prompts"
asterisk = "asterisk"
backups = "backups"

[web]
bind = "127.9.9.1:8000"
url = "https://localhost"
secret_key = "secret of the tests"

[asterisk]
address = "127.9.9.2"
modules = "modules"
data = "data"
run = "run"
log = "log"
spool = "spool"
var = "var"
ami_secret = "secret"

[calls]
hotline_number = "1282"
"""
