"""Citizens' appeals: the ministry's list, the card, what is done with one."""
