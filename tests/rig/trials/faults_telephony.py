"""Faults of the telephony that a running site has to report, and the check that reports each."""

from pathlib import Path

from tests.rig.trials import deeds, deeds_telephony
from tests.rig.trials.deeds import Fault, Scene


def _music(scene: Scene) -> Path:
    return scene.settings.paths.prompts / "music" / "hold.wav"


def _menu(scene: Scene) -> Path:
    return scene.settings.paths.prompts / "uz" / "menu.wav"


def _link(scene: Scene) -> Path:
    return scene.settings.asterisk.data / "sounds" / "uz"


FAULTS = (
    Fault(
        "a context of the dialplan gone",
        "asterisk.dialplan",
        *deeds_telephony.console("dialplan remove context topics", "dialplan reload"),
        text="topics",
        group=11,
    ),
    Fault(
        "the recordings' disk not mounted",
        "recordings.place",
        *deeds_telephony.recordings_not_mounted(),
        text="mark",
        group=11,
    ),
    Fault(
        "the queues' strategy changed in Asterisk",
        "asterisk.queue_settings",
        *deeds_telephony.other_queue_strategy(),
        text="rrmemory",
        group=11,
    ),
    Fault(
        "an extension registered from a second place",
        "asterisk.places",
        deeds_telephony.second_phone,
        deeds_telephony.one_phone,
        text=".12",
        group=11,
    ),
    Fault(
        "music on hold is garbage",
        "music",
        *deeds.other(_music, deeds_telephony.garbage),
        text="hold.wav (no sound)",
        group=11,
    ),
    Fault(
        "a prompt of a wrong rate",
        "prompts",
        *deeds.other(_menu, deeds_telephony.wrong_rate),
        text="44100 Hz",
        group=11,
    ),
    Fault(
        "a carrier drops INVITE and answers OPTIONS, a test call comes due",
        "carrier_call.carrier",
        *deeds_telephony.carrier_is("drop"),
        text="did not put the call through",
        group=11,
    ),
    Fault(
        "a carrier answers 503 to REGISTER",
        "trunk.registered",
        *deeds_telephony.registrar_answers(503),
        text="(503). The carrier's exchange does not serve us",
        group=11,
    ),
    Fault(
        "few file descriptors left to Asterisk",
        "asterisk.descriptors",
        *deeds_telephony.few_descriptors(),
        group=15,
    ),
    Fault(
        "a file of Asterisk's configuration changed by hand",
        "asterisk.files",
        *deeds_telephony.changed_by_hand(),
        text="musiconhold.conf",
        group=12,
    ),
    Fault(
        "links to the prompts gone",
        "prompts",
        *deeds.away(_link),
        text="does not find those of uz",
        group=12,
    ),
    Fault(
        "music on hold is noise",
        "music",
        *deeds.other(_music, deeds_telephony.noise()),
        text="(noise)",
        group=12,
    ),
    Fault(
        "sound one way only over a trunk, a test call comes due",
        "carrier_call.carrier",
        *deeds_telephony.carrier_is("unheard"),
        text="who calls does not hear who answers",
        group=12,
    ),
    Fault(
        "no caller's number, 10 calls",
        "callers.carrier",
        deeds_telephony.hidden_callers,
        deeds_telephony.shown_caller,
        group=12,
    ),
    Fault(
        "sound the other way only, a test call comes due",
        "carrier_call.carrier",
        *deeds_telephony.carrier_is("unheard_there"),
        text="who answers does not hear who calls",
        group=13,
    ),
    Fault(
        "Asterisk wants another password of the pbx process",
        "asterisk",
        *deeds_telephony.other_ami_password(),
        text="refuses the password",
        group=13,
    ),
    Fault(
        "the identifier by address is loaded and does not run",
        "asterisk.modules",
        *deeds.outside(deeds_telephony.identifier_stops, deeds_telephony.start_asterisk_again),
        text="identifier_ip",
        group=14,
    ),
)
