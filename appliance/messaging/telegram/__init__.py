"""The bot: what goes out to chats, and what comes back."""
