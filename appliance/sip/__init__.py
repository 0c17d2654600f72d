"""People at telephones: SIP over UDP and sound over RTP, by asyncio, for test calls.

`agent.Agent` is an address that speaks SIP, `call.Call` one dialog of it, `media.Media` its sound,
`listening` who is heard in a recording.
"""
