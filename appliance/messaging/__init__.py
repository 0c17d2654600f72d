"""Messages to citizens and duty officers, by SMS and Telegram."""
