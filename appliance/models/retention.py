"""Legal holds, removals, and how full the disks are."""

from peewee import BigIntegerField, CharField, DateField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class LegalHold(Table):
    """A record that is retained regardless of its age until the hold ends."""

    kind = CharField()  # call | appeal
    subject = CharField(index=True)  # the call's id, the appeal's number
    why = TextField()
    by = CharField()  # login
    since = MomentField()
    ended_at = MomentField(null=True)
    ended_by = CharField(default="")


class Removal(Table):
    """A removed record, when and by which rule; never changed later."""

    # recording | appeal, call_form (personal data) | draft | note | stray; on a citizen's request
    # appeal_person, call_form_person (the text stays without the person), call_person, data_request
    kind = CharField()
    subject = CharField()  # the file, the appeal's number
    at = MomentField(index=True)
    rule = CharField()  # "recordings_months=3"
    extent = IntegerField(default=0)  # proof.EXTENT of the release that masked
    detail = DocumentField(default=dict)

    class Meta:
        indexes = ((("kind", "subject"), True),)


class DiskReading(Table):
    """The last reading of a day of how full a disk was."""

    disk = CharField()  # database | recordings
    day = DateField()
    used = BigIntegerField()  # bytes
    total = BigIntegerField()

    class Meta:
        indexes = ((("disk", "day"), True),)
