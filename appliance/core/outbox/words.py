"""What hinders a message and what to do about it, as message ids."""

from appliance.core.i18n import N_

TROUBLES = {
    "unreachable": N_("The service cannot be reached: look at the internet link."),
    "certificate": N_(
        "The service's certificate is not taken: look at the box's clock, and whether something "
        "on the way puts itself between."
    ),
    "answer_lost": N_(
        "The service did not answer in time; it is tried again. If it stays so, call the service."
    ),
    "no_sense": N_("Something other than the service answered: look at the internet link."),
    "server_error": N_(
        "The service has a fault of its own; it is tried again. If it stays so, call the service."
    ),
    "log_in": N_("The service refuses the account: check name, password or token in the settings."),
    "account": N_("The account is locked or has no channel: call the service."),
    "declined": N_("The service will not have this text or number: is the text approved there?"),
    "unwanted": N_("The number wants no messages, or citizens are told no more of this."),
    "undelivered": N_("The operator of the number did not deliver it."),
    "kicked": N_("The bot is not in the group any more: add it again."),
    "muted": N_("The bot may not write in the group: give it the right to send messages."),
    "blocked": N_("He has blocked the bot or never wrote to it: he has to write to it once."),
    "too_many": N_("Too many messages at once; the service asks to wait, and it is sent then."),
    "moved": N_("The group has a new address; it is sent there."),
    "unapproved": N_("No account takes this text: have it approved, see the page SMS accounts."),
    "no_network": N_(
        "The modem finds no network: look at its aerial and whether the card is paid."
    ),
    "sim": N_("The modem's card does not work: look at the card and its PIN."),
    "no_modem": N_("The modem does not answer: look at its cable and power."),
    "modem_fault": N_(
        "The modem refused; it is tried again by itself. If it stays, restart the modem."
    ),
    "no_gateway": N_("No account could be asked: see the page SMS accounts."),
    "dropped": N_("After a restore somebody decided that it is not sent again."),
    "sender_died": N_("The sending process was stopped in the middle; it is sent again."),
}
