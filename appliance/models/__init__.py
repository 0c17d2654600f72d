"""Tables and constraints. Rules and queries live in the noun that owns a table."""

from appliance.models.appeals import Appeal, Applicant, Draft, NumberSeries
from appliance.models.base import Table
from appliance.models.calls import (
    AsteriskWatch,
    Call,
    EventFile,
    EventFragment,
    EventRow,
    QueueVisit,
    Recording,
    Ring,
    Talk,
)
from appliance.models.catalogs import CalendarDay, CatalogItem, District, Mahalla, Region
from appliance.models.handling import (
    AppealStep,
    AppealText,
    AppealWording,
    Department,
    DirectionRoute,
    Handling,
    Membership,
)
from appliance.models.keeping import DiskReading, JobRun, LegalHold, Removal
from appliance.models.keys import AccessKey
from appliance.models.notices import (
    DutyAlert,
    EarlyReport,
    NoticeText,
    SmsOptOut,
    TelegramBot,
    TelegramChat,
)
from appliance.models.outbox import Message
from appliance.models.reports import IssuedFile, IssuedReport, ReportRun
from appliance.models.site import AuditEntry, LiveEvent
from appliance.models.staff import Presence, User
from appliance.models.staff_records import (
    QuarterAnswer,
    Shift,
    ShiftPlace,
    StaffEvent,
    StaffRecord,
)

TABLES: tuple[type[Table], ...] = (
    User,
    Presence,
    Region,
    District,
    Mahalla,
    CatalogItem,
    CalendarDay,
    Applicant,
    Appeal,
    NumberSeries,
    Draft,
    Call,
    QueueVisit,
    Ring,
    Talk,
    Recording,
    EventRow,
    EventFile,
    EventFragment,
    AsteriskWatch,
    Message,
    LiveEvent,
    AuditEntry,
    StaffRecord,
    StaffEvent,
    Shift,
    ShiftPlace,
    QuarterAnswer,
    IssuedReport,
    IssuedFile,
    ReportRun,
    Department,
    DirectionRoute,
    Membership,
    Handling,
    AppealStep,
    AppealWording,
    AppealText,
    AccessKey,
    NoticeText,
    SmsOptOut,
    EarlyReport,
    DutyAlert,
    TelegramChat,
    TelegramBot,
    LegalHold,
    Removal,
    DiskReading,
    JobRun,
)

__all__ = ["TABLES", *(table.__name__ for table in TABLES)]
