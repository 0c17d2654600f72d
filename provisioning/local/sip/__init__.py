"""People at telephones: SIP over UDP and sound over RTP, by asyncio, for trials of a site.

`agent.Agent` is an address that speaks SIP, `call.Call` one dialog of it, `media.Media` its sound,
`parties` the callers, operators' phones and outside numbers made of them.
"""
