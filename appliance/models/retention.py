"""What is held, what was removed, how disks fill."""

from peewee import BigIntegerField, CharField, DateField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class LegalHold(Table):
    """Something that is kept whatever its age, until the hold is ended."""

    kind = CharField()  # call | appeal
    subject = CharField(index=True)  # the call's id, the appeal's number
    why = TextField()
    by = CharField()  # login
    since = MomentField()
    ended_at = MomentField(null=True)
    ended_by = CharField(default="")


class Removal(Table):
    """What was removed, when and by which rule; never changed afterwards."""

    # recording | appeal, call_form (personal data) | draft | note | stray; on a citizen's request
    # appeal_person, call_form_person (his text stays without him), call_person, data_request
    kind = CharField()
    subject = CharField()  # the file, the appeal's number
    at = MomentField(index=True)
    rule = CharField()  # "recordings_months=3"
    extent = IntegerField(default=0)  # proof.EXTENT of the release that masked
    detail = DocumentField(default=dict)

    class Meta:
        indexes = ((("kind", "subject"), True),)


class DiskReading(Table):
    """How full a disk was, the last time it was looked at on a day."""

    disk = CharField()  # database | recordings
    day = DateField()
    used = BigIntegerField()  # bytes
    total = BigIntegerField()

    class Meta:
        indexes = ((("disk", "day"), True),)
