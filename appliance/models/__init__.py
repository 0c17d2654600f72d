"""The database tables and their constraints.

Rules and queries are in the package that owns a table. Comments name the constants that list the
values of a column.
"""

from appliance.core.audit.table import AuditAnchor, AuditEntry
from appliance.core.live import LiveEvent
from appliance.core.outbox import EarlyReport, HeldMessage, Message, SendAttempt
from appliance.core.search import SearchEntry, SearchText, SearchWord
from appliance.core.tables import Table
from appliance.models import personal_columns
from appliance.models.accounts import User
from appliance.models.alarms import Alarm
from appliance.models.announcements import Announcement, AnnouncementReader
from appliance.models.appeals import (
    Appeal,
    AppealReader,
    AppealReveal,
    Applicant,
    Draft,
    NumberSeries,
)
from appliance.models.calls import (
    AsteriskWatch,
    Call,
    DialAttempt,
    EventFile,
    EventFragment,
    EventRow,
    Gap,
    Listening,
    ListeningRight,
    MergedCall,
    Quarantined,
    QueueVisit,
    Recording,
    Ring,
    SeenCall,
    SipRefusal,
    Talk,
    Transfer,
)
from appliance.models.catalogs import CalendarDay, Catalog, CatalogItem, District, Mahalla, Region
from appliance.models.changes import ChangeFile, ChangeLink, ChangeRequest, ChangeStep
from appliance.models.data_requests import DataRequest
from appliance.models.departments import Department, DirectionRoute, Membership
from appliance.models.desk_phones import DeskPhone
from appliance.models.devices import Device, LineQuality
from appliance.models.directory import Employee
from appliance.models.evidence import EvidencePack
from appliance.models.followups import KIND_PRIORITY, FollowUp, FollowUpMark
from appliance.models.forms import (
    CallForm,
    CallFormWording,
    CallNumberSeries,
    FieldValue,
    FormVersion,
)
from appliance.models.handling import (
    AnswerDraft,
    AppealStep,
    AppealWording,
    Consultation,
    Handling,
)
from appliance.models.health import CheckState, ExchangeLook
from appliance.models.identities import Identity
from appliance.models.keys import AccessKey
from appliance.models.knowledge import (
    Article,
    ArticleFile,
    ArticleMiss,
    ArticleOpening,
    ArticleVersion,
)
from appliance.models.links import HostAddress, LinkStretch, RateReading
from appliance.models.ministry import MinistryEvent, MinistryLink, MinistryPackage
from appliance.models.notices import (
    DutyAlert,
    NoticeText,
    SmsOptOut,
    SmsTemplate,
    TelegramBot,
    TelegramChat,
)
from appliance.models.numbers import NumberHiding, NumberNote, ScheduledCallback
from appliance.models.pins import Desk, Pin
from appliance.models.presence import Goal, PauseLimit, Presence
from appliance.models.processes import ProcessState
from appliance.models.prompts import Prompt, PromptVersion
from appliance.models.refused_forms import RefusedForm
from appliance.models.reports import CountingRule, IssuedFile, IssuedReport, ReportRun
from appliance.models.retention import DiskReading, LegalHold, Removal
from appliance.models.routing import PlanVersion
from appliance.models.runs import JobRun
from appliance.models.scripts import Script, ScriptRun, ScriptStep, ScriptVersion
from appliance.models.second_factors import Authenticator, Passkey, RecoveryCode
from appliance.models.selftests import SelfTest
from appliance.models.sessions import Session
from appliance.models.sign_ins import SignInAttempt
from appliance.models.sms import NoticeRule, SmsHealth, SmsRating, TextApproval
from appliance.models.snapshots import CopyCheck, SnapshotRun
from appliance.models.staff_records import QuarterAnswer, Shift, ShiftPlace, StaffEvent, StaffRecord
from appliance.models.tariffs import Tariff
from appliance.models.trunks import LineTrial, SpanState, TrunkState
from appliance.models.versions import Version

__all__ = [
    "User",
    "Presence",
    "PauseLimit",
    "Goal",
    "Announcement",
    "AnnouncementReader",
    "SignInAttempt",
    "Session",
    "Authenticator",
    "RecoveryCode",
    "Passkey",
    "Pin",
    "Desk",
    "Identity",
    "Region",
    "District",
    "Mahalla",
    "Catalog",
    "CatalogItem",
    "CalendarDay",
    "Applicant",
    "Appeal",
    "AppealReader",
    "AppealReveal",
    "NumberSeries",
    "FormVersion",
    "CallForm",
    "CallFormWording",
    "FieldValue",
    "CallNumberSeries",
    "Draft",
    "Call",
    "QueueVisit",
    "Ring",
    "Talk",
    "Gap",
    "Transfer",
    "DialAttempt",
    "MergedCall",
    "Recording",
    "EventRow",
    "EventFile",
    "EventFragment",
    "Quarantined",
    "AsteriskWatch",
    "Message",
    "HeldMessage",
    "SendAttempt",
    "SeenCall",
    "SipRefusal",
    "ListeningRight",
    "Listening",
    "Tariff",
    "Employee",
    "Device",
    "DeskPhone",
    "LineQuality",
    "LiveEvent",
    "AuditAnchor",
    "AuditEntry",
    "RefusedForm",
    "Prompt",
    "PromptVersion",
    "FollowUp",
    "FollowUpMark",
    "NumberHiding",
    "NumberNote",
    "ScheduledCallback",
    "PlanVersion",
    "StaffRecord",
    "StaffEvent",
    "Shift",
    "ShiftPlace",
    "QuarterAnswer",
    "IssuedReport",
    "IssuedFile",
    "CountingRule",
    "ReportRun",
    "Department",
    "DirectionRoute",
    "Membership",
    "Handling",
    "Consultation",
    "AppealStep",
    "AnswerDraft",
    "AppealWording",
    "AccessKey",
    "NoticeText",
    "SmsTemplate",
    "SmsOptOut",
    "EarlyReport",
    "DutyAlert",
    "TelegramChat",
    "TelegramBot",
    "LegalHold",
    "Removal",
    "DiskReading",
    "JobRun",
    "SmsHealth",
    "NoticeRule",
    "TextApproval",
    "SmsRating",
    "TrunkState",
    "SpanState",
    "LineTrial",
    "ExchangeLook",
    "ProcessState",
    "CheckState",
    "Alarm",
    "SelfTest",
    "LinkStretch",
    "RateReading",
    "HostAddress",
    "MinistryEvent",
    "MinistryLink",
    "MinistryPackage",
    "SnapshotRun",
    "CopyCheck",
    "EvidencePack",
    "DataRequest",
    "ChangeRequest",
    "ChangeStep",
    "ChangeFile",
    "ChangeLink",
    "Article",
    "ArticleVersion",
    "ArticleFile",
    "ArticleOpening",
    "ArticleMiss",
    "Script",
    "ScriptVersion",
    "ScriptRun",
    "ScriptStep",
    "SearchEntry",
    "SearchWord",
    "SearchText",
]
TABLES: tuple[type[Table], ...] = tuple(globals()[name] for name in __all__)
__all__ += ["TABLES", "KIND_PRIORITY", "Version", "personal_columns"]
