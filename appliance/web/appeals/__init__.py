"""Citizens' appeals: the ministry's list, the card of an appeal, and the actions on one."""
