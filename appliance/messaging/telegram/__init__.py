"""The Telegram bot: messages to chats, and processing of its updates."""
