"""Telephony faults that a running site must report, and the check that reports each."""

from pathlib import Path

from tests.rig.trials import fault_actions, fault_actions_telephony
from tests.rig.trials.fault_actions import Fault, Scene


def _music_path(scene: Scene) -> Path:
    return scene.settings.paths.prompts / "music" / "hold.wav"


def _menu_path(scene: Scene) -> Path:
    return scene.settings.paths.prompts / "uz" / "menu.wav"


def _link_path(scene: Scene) -> Path:
    return scene.settings.asterisk.data / "sounds" / "uz"


TELEPHONY_FAULTS = (
    Fault(
        "a context of the dialplan gone",
        "asterisk.dialplan",
        *fault_actions_telephony.console_commands(
            "dialplan remove context topics", "dialplan reload"
        ),
        text="topics",
        group=11,
    ),
    Fault(
        "the recordings' disk not mounted",
        "recordings.place",
        *fault_actions_telephony.unmount_recordings(),
        text="mark",
        group=11,
    ),
    Fault(
        "the queues' strategy changed in Asterisk",
        "asterisk.queue_settings",
        *fault_actions_telephony.change_queue_strategy(),
        text="rrmemory",
        group=11,
    ),
    Fault(
        "an extension registered from a second place",
        "asterisk.places",
        fault_actions_telephony.register_second_phone,
        fault_actions_telephony.restore_single_phone,
        text=".12",
        group=11,
    ),
    Fault(
        "music on hold is garbage",
        "music",
        *fault_actions.replace_content(_music_path, fault_actions_telephony.garbage_bytes),
        text="hold.wav (no sound)",
        group=11,
    ),
    Fault(
        "a prompt of a wrong rate",
        "prompts",
        *fault_actions.replace_content(_menu_path, fault_actions_telephony.studio_sound),
        text="44100 Hz",
        group=11,
    ),
    Fault(
        "a carrier drops INVITE and answers OPTIONS, a test call comes due",
        "carrier_call.carrier",
        *fault_actions_telephony.set_carrier_mood("drop"),
        text="did not put the call through",
        group=11,
    ),
    Fault(
        "a carrier answers 503 to REGISTER",
        "trunk.registered",
        *fault_actions_telephony.set_registrar_status(503),
        text="(503). The carrier's exchange does not serve us",
        group=11,
    ),
    Fault(
        "few file descriptors left to Asterisk",
        "asterisk.descriptors",
        *fault_actions_telephony.limit_descriptors(),
        group=15,
    ),
    Fault(
        "a file of Asterisk's configuration changed by hand",
        "asterisk.files",
        *fault_actions_telephony.edit_configuration(),
        text="musiconhold.conf",
        group=12,
    ),
    Fault(
        "links to the prompts gone",
        "prompts",
        *fault_actions.move_away(_link_path),
        text="does not find the prompts of uz",
        group=12,
    ),
    Fault(
        "music on hold is noise",
        "music",
        *fault_actions.replace_content(_music_path, fault_actions_telephony.noise_maker()),
        text="(noise)",
        group=12,
    ),
    Fault(
        "sound one way only over a trunk, a test call comes due",
        "carrier_call.carrier",
        *fault_actions_telephony.set_carrier_mood("unheard"),
        text="the caller gets no sound from the answering side",
        group=12,
    ),
    Fault(
        "no caller's number, 10 calls",
        "callers.carrier",
        fault_actions_telephony.call_without_number,
        fault_actions_telephony.call_with_number,
        group=12,
    ),
    Fault(
        "sound the other way only, a test call comes due",
        "carrier_call.carrier",
        *fault_actions_telephony.set_carrier_mood("unheard_there"),
        text="the answering side gets no sound from the caller",
        group=13,
    ),
    Fault(
        "Asterisk wants another password of the pbx process",
        "asterisk",
        *fault_actions_telephony.change_ami_password(),
        text="refuses the password",
        group=13,
    ),
    Fault(
        "the identifier by address is loaded and does not run",
        "asterisk.modules",
        *fault_actions.do_and_undo(
            fault_actions_telephony.break_identifier, fault_actions_telephony.restart_asterisk
        ),
        text="identifier_ip",
        group=14,
    ),
)
