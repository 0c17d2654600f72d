"""Lists that forms choose from."""

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField

from appliance.core.tables import Table


class Named(Table):
    """Base class of rows with a name in each language."""

    name_uz_latn = CharField()
    name_uz_cyrl = CharField()
    name_ru = CharField(default="")


class Region(Named):
    """A region of the country, identified by its SOATO code."""

    soato = CharField(primary_key=True)
    position = IntegerField()  # its place in report form №2


class District(Named):
    """A district or town of a region, identified by its SOATO code."""

    soato = CharField(primary_key=True)
    region = ForeignKeyField(Region, backref="districts", on_delete="RESTRICT")
    aliases = CharField(default="")  # former names, separated by "|"
    search_key = CharField(index=True)  # all its names, folded for searching


class Mahalla(Named):
    """A neighbourhood: imported with its code, or typed by an operator (then without a code)."""

    code = CharField(unique=True, null=True)
    district = ForeignKeyField(District, backref="mahallas", on_delete="RESTRICT", null=True)
    search_key = CharField(index=True)
    typed = BooleanField(default=False)

    class Meta:
        indexes = ((("district", "search_key"), False),)


class Catalog(Named):
    """A list: a built-in one, or one that the site added."""

    code = CharField(primary_key=True)
    position = IntegerField()
    own = BooleanField(default=False)  # added by the site


class CatalogItem(Named):
    """One value of a list. Values are retired, never deleted; the code never changes."""

    catalog = CharField()  # Catalog.code
    code = CharField()
    position = IntegerField()
    active = BooleanField(default=True)  # False: retired
    active_from = DateField(null=True)  # the first and the last day in use, if limited
    active_until = DateField(null=True)

    class Meta:
        indexes = ((("catalog", "code"), True),)


class CalendarDay(Named):
    """A date on which the ministry's calendar differs from Mon-Fri."""

    date = DateField(primary_key=True)
    kind = CharField()
    working = BooleanField()
