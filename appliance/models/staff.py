"""Who works here: users with their roles, and the states that operators choose."""

from peewee import BooleanField, CharField, ForeignKeyField, TextField

from appliance.models.base import MomentField, Table


class User(Table):
    """A person with a login; disabled, never deleted."""

    login = CharField(unique=True)
    name = CharField()
    role = CharField()  # staff.ROLES
    password_hash = TextField()
    language = CharField(default="uz_Latn")  # i18n.LOCALES
    theme = CharField(default="system")  # system | light | dark
    large_text = BooleanField(default=False)
    extension = CharField(unique=True, null=True)  # the SIP account of an operator's phone
    sip_password = CharField(null=True)
    speaks = CharField(default="")  # languages of calls, "uz ru"
    active = BooleanField(default=True)
    created_at = MomentField()


class Presence(Table):
    """A state that an operator took at a moment; the newest row is the one in force."""

    user = ForeignKeyField(User, backref="presences", on_delete="RESTRICT")
    state = CharField()  # staff.STATES: ready | pause | off
    since = MomentField()
    reason = CharField(default="")  # staff.NO_ANSWER, staff.FORCED
    by = CharField(default="")  # who set it; empty in rows from before this was kept

    class Meta:
        indexes = ((("user", "since"), False),)
