"""Who works here: users with their roles."""

from peewee import BooleanField, CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class User(Table):
    """A person with a login; disabled, never deleted."""

    login = CharField(unique=True)
    name = CharField()
    role = CharField()  # accounts.ROLES
    password_hash = TextField()
    language = CharField(default="uz_Latn")  # i18n.LOCALES
    theme = CharField(default="system")  # system | light | dark
    large_text = BooleanField(default=False)
    extension = CharField(unique=True, null=True)  # the SIP account of an operator's phone
    sip_password = CharField(null=True)
    speaks = CharField(default="")  # languages of calls, "uz ru"
    active = BooleanField(default=True)
    created_at = MomentField()
    session_number = IntegerField(default=0)  # of the sessions that hold; a higher one ends them
