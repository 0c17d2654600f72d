"""Change requests of the ministry: terms, states, files, and the changes made for them (A10)."""

from appliance.casework.changes import states
from appliance.casework.changes.files import MAX_FILE_BYTES, MAX_FILES_PER_UPLOAD, UploadedFile
from appliance.casework.changes.links import link_change
from appliance.casework.changes.requests import (
    RequestCounts,
    completion_times,
    count_requests,
    create_change_request,
    find_change_request,
    is_due_soon,
    list_change_requests,
    list_request_steps,
    open_requests,
    perform_request_action,
    requests_awaiting_approval,
)

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_FILES_PER_UPLOAD",
    "RequestCounts",
    "UploadedFile",
    "create_change_request",
    "count_requests",
    "perform_request_action",
    "find_change_request",
    "completion_times",
    "is_due_soon",
    "link_change",
    "list_change_requests",
    "open_requests",
    "states",
    "list_request_steps",
    "requests_awaiting_approval",
]
