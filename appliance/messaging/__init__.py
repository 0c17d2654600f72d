"""What citizens and duty officers are told, by SMS and Telegram."""
