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
    """The removal of a record or of its personal data: when, and by which rule. Never changed."""

    # recording | appeal, call_form (their personal data) | draft | note | stray; on a citizen's
    # request: appeal_person, call_form_person (only the person is removed from the texts),
    # call_person, data_request
    kind = CharField()
    subject = CharField()  # the file, the appeal's number
    at = MomentField(index=True)
    rule = CharField()  # "recordings_months=3"
    extent = IntegerField(default=0)  # removal_log.MASKING_EXTENT of the release that masked it
    detail = DocumentField(default=dict)

    class Meta:
        indexes = ((("kind", "subject"), True),)


class DiskReading(Table):
    """How full a disk was at the last reading of a day."""

    disk = CharField()  # database | recordings
    day = DateField()
    used = BigIntegerField()  # bytes
    total = BigIntegerField()

    class Meta:
        indexes = ((("disk", "day"), True),)
