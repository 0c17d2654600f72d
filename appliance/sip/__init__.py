"""Simulated telephones for test calls: SIP over UDP and audio over RTP, with asyncio.

`agent.Agent` is a SIP address, `call.Call` one of its calls, `media.Media` the call's audio;
`listening` finds the voices in a recording. "Our" means the simulated telephone, "the appliance"
the Asterisk that it calls.
"""
