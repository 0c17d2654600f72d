"""Who works here: users with their roles."""

from peewee import BooleanField, CharField, TextField

from appliance.core.tables import MomentField, Table


class User(Table):
    """A person with a login; disabled, never deleted."""

    login = CharField(unique=True)
    name = CharField()
    name_cyrl = CharField(default="")  # the name in Cyrillic; empty: nobody has written it
    role = CharField()  # accounts.ROLES
    password_hash = TextField()
    must_change = BooleanField(default=False)  # the password was given by somebody else
    # while the directory is away, the password that it accepted last signs in
    directory_fallback = BooleanField(default=False)
    language = CharField(default="uz_Latn")  # i18n.LOCALES
    theme = CharField(default="system")  # system | light | dark
    large_text = BooleanField(default=False)
    extension = CharField(unique=True, null=True)  # the SIP account of an operator's phone
    sip_password = CharField(null=True)
    phone = CharField(default="desk")  # accounts.PHONES: on the desk, or in the operator's page
    phone_page = CharField(null=True)  # the open page that took the phone up last
    # the hash of that page's session; "": the session ended, and Asterisk still has its address
    phone_session = CharField(null=True)
    page_password = CharField(null=True)  # of the phone in the page; NULL: sip_password
    auto_answer = BooleanField(default=False)  # the phone in the page takes calls by itself
    speaks = CharField(default="")  # languages of calls, "uz ru"
    topics = CharField(null=True)  # codes whose callers ring him, "subsidies work"; NULL: every one
    active = BooleanField(default=True)
    created_at = MomentField()
    seen_at = MomentField(null=True)  # when a page was last asked for, to the minute
