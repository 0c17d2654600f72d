"""Lists that forms choose from."""

from peewee import BooleanField, CharField, DateField, ForeignKeyField, IntegerField

from appliance.core.tables import Table


class Named(Table):
    """Something with a name in each language."""

    name_uz_latn = CharField()
    name_uz_cyrl = CharField()
    name_ru = CharField(default="")


class Region(Named):
    soato = CharField(primary_key=True)
    position = IntegerField()  # the order of report form №2


class District(Named):
    soato = CharField(primary_key=True)
    region = ForeignKeyField(Region, backref="districts", on_delete="RESTRICT")
    aliases = CharField(default="")  # former names, parted by "|"
    search_key = CharField(index=True)  # i18n.fold of all its names


class Mahalla(Named):
    """A neighbourhood: imported with a code, or typed by an operator and remembered without."""

    code = CharField(unique=True, null=True)
    district = ForeignKeyField(District, backref="mahallas", on_delete="RESTRICT", null=True)
    search_key = CharField(index=True)
    typed = BooleanField(default=False)

    class Meta:
        indexes = ((("district", "search_key"), False),)


class CatalogItem(Named):
    """One value of an editable list."""

    catalog = CharField()  # catalogs.CATALOGS
    code = CharField()
    position = IntegerField()
    active = BooleanField(default=True)

    class Meta:
        indexes = ((("catalog", "code"), True),)


class CalendarDay(Named):
    """A date on which the ministry's calendar differs from Mon-Fri."""

    date = DateField(primary_key=True)
    kind = CharField()
    working = BooleanField()
