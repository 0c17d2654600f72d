"""Tables and constraints. Rules and queries live in the noun that owns a table."""

from appliance.models.appeals import Appeal, Applicant, Draft, NumberSeries
from appliance.models.base import Table
from appliance.models.calls import (
    AsteriskWatch,
    Call,
    DialAttempt,
    EventFile,
    EventFragment,
    EventRow,
    Folded,
    Listening,
    ListeningRight,
    QueueVisit,
    Recording,
    Ring,
    SipRefusal,
    Talk,
    Transfer,
)
from appliance.models.catalogs import CalendarDay, CatalogItem, District, Mahalla, Region
from appliance.models.desk import Device, Employee
from appliance.models.followups import FollowUp, FollowUpMark
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
from appliance.models.links import HostAddress, LinkStretch, RateReading
from appliance.models.ministry import MinistryEvent, MinistryLink, MinistryPackage
from appliance.models.money import Tariff
from appliance.models.notices import (
    DutyAlert,
    EarlyReport,
    NoticeText,
    SmsOptOut,
    TelegramBot,
    TelegramChat,
)
from appliance.models.outbox import Message, SendAttempt
from appliance.models.plan import PlanVersion
from appliance.models.prompts import Prompt, PromptVersion
from appliance.models.reports import IssuedFile, IssuedReport, ReportRun
from appliance.models.selftests import SelfTest
from appliance.models.site import AuditEntry, LiveEvent
from appliance.models.sms import NoticeRule, SmsHealth, SmsRating, TextApproval
from appliance.models.snapshots import SnapshotRun
from appliance.models.staff import Presence, User
from appliance.models.staff_records import (
    QuarterAnswer,
    Shift,
    ShiftPlace,
    StaffEvent,
    StaffRecord,
)
from appliance.models.technics import (
    Alarm,
    CheckState,
    LineTrial,
    ProcessState,
    SpanState,
    TrunkState,
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
    Transfer,
    DialAttempt,
    Folded,
    Recording,
    EventRow,
    EventFile,
    EventFragment,
    AsteriskWatch,
    Message,
    SendAttempt,
    SipRefusal,
    ListeningRight,
    Listening,
    Tariff,
    Employee,
    Device,
    LiveEvent,
    AuditEntry,
    Prompt,
    PromptVersion,
    FollowUp,
    FollowUpMark,
    PlanVersion,
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
    SmsHealth,
    NoticeRule,
    TextApproval,
    SmsRating,
    TrunkState,
    SpanState,
    LineTrial,
    ProcessState,
    CheckState,
    Alarm,
    SelfTest,
    LinkStretch,
    RateReading,
    HostAddress,
    MinistryEvent,
    MinistryLink,
    MinistryPackage,
    SnapshotRun,
)

__all__ = ["TABLES", *(table.__name__ for table in TABLES)]
