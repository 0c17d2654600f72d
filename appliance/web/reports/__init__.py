"""Reports: the forms, issued reports, telephony, minutes, capacity, staff records, accesses."""
