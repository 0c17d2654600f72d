"""The texts of the troubles that prevent sending, with advice, by code; message ids for gettext."""

from appliance.core.i18n import N_

TROUBLES = {
    "unreachable": N_("The service cannot be reached: check the internet connection."),
    "certificate": N_(
        "The service's certificate was not accepted: check the server's clock, and whether "
        "something intercepts the connection."
    ),
    "answer_lost": N_(
        "The service did not answer in time; the message is sent again. If this continues, call "
        "the service."
    ),
    "no_sense": N_("Something other than the service answered: check the internet connection."),
    "server_error": N_(
        "The service has an internal error; the message is sent again. If this continues, call the "
        "service."
    ),
    "log_in": N_(
        "The service refuses the account: check the name, password or token in the settings."
    ),
    "account": N_("The account is locked or has no channel: call the service."),
    "declined": N_("The service does not accept this text or number: is the text approved there?"),
    "unwanted": N_("This number has opted out of messages, or such messages are no longer sent."),
    "undelivered": N_("The carrier of this number did not deliver it."),
    "kicked": N_("The bot is no longer in the group: add it again."),
    "muted": N_("The bot may not write in the group: give it the permission to send messages."),
    "blocked": N_(
        "The person has blocked the bot or has never written to it: they must write to it once."
    ),
    "too_many": N_(
        "Too many messages at once; the service asks to wait, and the message is sent afterwards."
    ),
    "moved": N_("The group has a new address; the message will be sent there."),
    "unapproved": N_("No account accepts this text: have it approved, see the page SMS accounts."),
    "no_network": N_(
        "The modem finds no network: check its antenna and whether the SIM card is paid."
    ),
    "sim": N_("The modem's SIM card does not work: check the card and its PIN."),
    "no_modem": N_("The modem does not answer: check its cable and power."),
    "modem_fault": N_(
        "The modem refused; it is tried again automatically. If it still fails, restart the modem."
    ),
    "no_gateway": N_("No account could be reached: see the page SMS accounts."),
    "dropped": N_("After a restore it was decided not to send it again."),
    "sender_died": N_("Sending was interrupted; the message is sent again."),
}
