"""Reports: the forms, issued papers, telephony, minutes, capacity, staff records."""
