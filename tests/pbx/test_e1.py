"""The hotline with an E1 in its plan, on a machine without the card."""

import subprocess

from box import Box
from waiting import until

from appliance.pbx import ami, config
from appliance.plan import Plan, Route, Trunk
from appliance.settings import Settings
from provisioning.local import asterisk as tree

PLAN = Plan(
    trunks=(Trunk("exchange", kind="e1", spans="1-15,17-31"), Trunk("carrier", address="10.9.2.1")),
    routes=(Route("", ("exchange", "carrier")),),
)


def test_without_a_card_the_hotline_answers_over_sip(site: Settings) -> None:
    config.install(site, tried=True)
    for name, text in config.render(site, PLAN).items():
        (site.paths.asterisk / name).write_text(text)
    process = subprocess.Popen(
        [*tree.command(), "-f", "-C", str(site.paths.asterisk / "asterisk.conf")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(Box(site, process).answers, limit=120)
        with ami.Connection(site) as asterisk:
            ends = asterisk.listed("PJSIPShowEndpoints", "EndpointListComplete")
            loaded = asterisk.act("Command", Command="module show like chan_dahdi.so")
    finally:
        process.kill()
        process.wait()
    assert {"carrier", "1001"} <= {event.get("ObjectName") for event in ends}
    assert "Running" not in str(loaded).replace("Not Running", "")
