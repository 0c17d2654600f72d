"""The knowledge base: pages to read, write and approve articles, and statistics of their use."""

from appliance.web.knowledge import editing, reading

SCREENS = (
    reading.screen,
    editing.screen,
)
