"""The dialplan, one file per context, and the spoken texts. Rendered by appliance.pbx.config."""
