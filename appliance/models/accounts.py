"""The people who work here: users with their roles."""

from peewee import BooleanField, CharField, TextField

from appliance.core.tables import MomentField, Table


class User(Table):
    """A person with a login. Accounts are disabled, never deleted."""

    login = CharField(unique=True)
    name = CharField()
    name_cyrl = CharField(default="")  # the name in Cyrillic; empty: not entered
    role = CharField()  # ROLES of core.settings.people
    password_hash = TextField()
    must_change = BooleanField(default=False)  # the password was set by another user
    # True: while the LDAP directory is unreachable, the last password that it accepted is valid
    directory_fallback = BooleanField(default=False)
    language = CharField(default="uz_Latn")  # i18n.LOCALES
    theme = CharField(default="system")  # system | light | dark
    large_text = BooleanField(default=False)
    extension = CharField(unique=True, null=True)  # the SIP account of an operator's phone
    sip_password = CharField(null=True)
    phone = CharField(default="desk")  # accounts.PHONE_KINDS: on the desk, or in the page
    phone_page = CharField(null=True)  # the open page that connected the phone last
    # hash of that page's session; "": it has ended, but the phone is still registered in Asterisk
    phone_session = CharField(null=True)
    page_password = CharField(null=True)  # of the phone in the page; NULL: sip_password is used
    auto_answer = BooleanField(default=False)  # the phone in the page answers calls automatically
    speaks = CharField(default="")  # languages in which they take calls, "uz ru"
    # codes of the topics whose callers ring them, "subsidies work"; NULL: all
    topics = CharField(null=True)
    active = BooleanField(default=True)
    created_at = MomentField()
    seen_at = MomentField(null=True)  # when they last requested a page, to the minute
