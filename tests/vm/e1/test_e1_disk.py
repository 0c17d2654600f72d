"""The role disk's command on a real kernel: a volume is made, opened, filled, and completed.

In the machine of the E1, because the box's container has no device mapper.
"""

from collections.abc import Iterator

import pytest

from tests.rig.rendering import ROLES
from tests.vm.e1.e1world import World
from tests.vm.e1.vmachine import Machine

pytestmark = pytest.mark.vm

DISK_COMMAND = ROLES / "disk" / "files" / "appliance-disk"
DISK_MEGABYTES = 40  # of which 16 are the volume's header
SECRET_TEXT = "Karimova Dilnoza, 901234567"
# Replaces a program: when it is called with this text, the whole process group is killed.
STAND_IN = r"""#!/bin/sh
real=/usr/sbin/${0##*/}; [ -x "$real" ] || real=/usr/bin/${0##*/}
case "${0##*/} $*" in
    *"$STOP_AT"*)
        "$real" "$@" &
        sleep "${STOP_AFTER:-0.05}"
        kill -9 0  # its whole group
        ;;
esac
exec "$real" "$@"
"""
# (command during which everything is killed, seconds after its start)
INTERRUPTIONS = (
    ("luksFormat", "0.05"),
    ("luksAddKey", "0.1"),
    ("mkfs.ext4", "0.05"),
    ("cp -ax", "0.02"),
    ("mv /srv/box", "0.5"),
    ("config", "0.5"),
)


class Disk:
    """A blank disk in the machine, and the command for it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def make_blank(self) -> None:
        """Unmount, close and delete everything: no key and no data remain."""
        self.machine.run(
            "umount -q /srv/box /run/appliance-disk/*; cryptsetup close -q hotline; "
            "losetup -D; rm -rf /srv/box* /srv/disk /etc/cryptsetup-keys.d /etc/appliance; "
            f"mkdir -p /etc/appliance && truncate -s {DISK_MEGABYTES}M /srv/disk && "
            "losetup /dev/loop7 /srv/disk && "
            "printf 'device=/dev/loop7\\nstick=\\nhome=/srv/box\\n' >/etc/appliance/disk.conf"
        )

    def run_command(self, arguments: str, typed: str = "") -> str:
        """Return the command's output. Raises RuntimeError with its message."""
        return self.machine.run(f"appliance-disk {arguments}", sent=typed.encode()).decode()

    def refusal(self, arguments: str, typed: str = "") -> str:
        """Return the message with which the command refuses."""
        with pytest.raises(RuntimeError) as refused:
            self.run_command(arguments, typed)
        return str(refused.value)

    def close_volume(self) -> None:
        """Close the volume: the state after a start of the machine."""
        self.machine.run("umount /srv/box && cryptsetup close hotline")

    def write_plain_data(self) -> None:
        """Write the data of a box in plain text."""
        self.machine.run(
            f"mkdir -p /srv/box/data && echo '{SECRET_TEXT}' >/srv/box/data/appliance.db && "
            "head -c 4M /dev/urandom >/srv/box/data/talk && chown -R 7:7 /srv/box && "
            "(cd /srv/box && find . -type f -exec sha256sum {} + >/srv/sums)"
        )

    def has_data(self) -> bool:
        """Return True if the data are on the volume, unchanged and with the same owner."""
        self.machine.run("cd /srv/box && sha256sum --check --quiet /srv/sums")
        output = self.machine.run("findmnt -no SOURCE /srv/box; stat -c %u /srv/box/data/talk")
        return output.split() == [b"/dev/mapper/hotline", b"7"]

    def move_and_kill(self, command_text: str, seconds: str) -> int:
        """Kill everything while the command moves the data; return the exit code."""
        path = "PATH=/srv/stand-ins:$PATH"
        command = (
            f"STOP_AT='{command_text}' STOP_AFTER={seconds} {path} setsid appliance-disk make move"
        )
        return int(self.machine.run(f"{command} >/dev/null 2>&1; echo $?"))


@pytest.fixture(scope="module")
def machine(e1: World) -> Machine:
    e1.machine.run("cat >/usr/local/sbin/appliance-disk", sent=DISK_COMMAND.read_bytes())
    e1.machine.run("chmod +x /usr/local/sbin/appliance-disk; modprobe -a dm-crypt loop")
    e1.machine.run("mkdir -p /srv/stand-ins && cat >/srv/stand-ins/cp", sent=STAND_IN.encode())
    e1.machine.run(
        "cd /srv/stand-ins && chmod +x cp && for one in cryptsetup mkfs.ext4 diff mv; do "
        "cp cp $one; done"
    )
    return e1.machine


@pytest.fixture
def disk(machine: Machine) -> Iterator[Disk]:
    blank_disk = Disk(machine)
    blank_disk.make_blank()
    yield blank_disk
    blank_disk.make_blank()


def test_a_blank_disk_becomes_a_volume_that_only_its_keys_can_open(disk: Disk) -> None:
    assert disk.run_command("make") == "made\n"
    assert disk.run_command("make") == ""  # a second run changes nothing
    disk.machine.run(f"echo '{SECRET_TEXT}' >/srv/box/secret && sync")
    assert disk.machine.run(f"grep -c '{SECRET_TEXT}' /srv/disk || true") == b"0\n"
    number = disk.machine.run("stat -c '%Hd:%Ld' /srv/box").decode().strip()
    volume_uuid = disk.machine.run(f"cat /sys/dev/block/{number}/dm/uuid")
    assert volume_uuid.startswith(b"CRYPT-LUKS2-")  # the property that the self-check tests

    disk.close_volume()
    assert disk.run_command("open") == "opened\n"
    assert disk.run_command("open") == ""
    assert SECRET_TEXT in disk.machine.run("cat /srv/box/secret").decode()

    paper = disk.machine.run("cat /etc/appliance/disk.paper").decode()
    disk.close_volume()
    disk.machine.run("rm /etc/cryptsetup-keys.d/hotline.key")
    assert "is not here" in disk.refusal("open")
    assert "does not open" in disk.refusal("open paper", paper[:-1] + "!\n")
    assert disk.run_command("open paper", f"{paper}\n") == "opened\n"

    # Another box, with that disk and the sheet.
    assert disk.run_command("rotate paper", f"{paper}\n") == "rotated\n"
    disk.close_volume()
    assert disk.run_command("make") == "opened\n"
    assert "does not open" in disk.refusal("rotate paper", f"{paper}\n")


def test_keys_are_rotated_while_the_volume_is_in_use(disk: Disk) -> None:
    disk.run_command("make")
    disk.machine.run("cp -r /etc/cryptsetup-keys.d /srv/box.keys")
    before = disk.machine.run("cat /etc/appliance/disk.paper")
    disk.machine.run(
        "STOP_AT='luksKillSlot /dev/loop7 0' PATH=/srv/stand-ins:$PATH "
        "setsid appliance-disk rotate >/dev/null 2>&1; true"
    )
    assert disk.run_command("rotate") == "rotated\n"
    assert disk.machine.run("cat /etc/appliance/disk.paper") != before
    test_command = "cryptsetup open --test-passphrase /dev/loop7 --key-file"
    with pytest.raises(RuntimeError):
        disk.machine.run(f"{test_command} /srv/box.keys/hotline.key")
    disk.machine.run(f"{test_command} /etc/cryptsetup-keys.d/hotline.key")
    disk.machine.run(f"{test_command} /etc/appliance/disk.paper")
    dump = disk.machine.run("cryptsetup luksDump /dev/loop7").decode()
    assert dump.count(": luks2\n") == 2  # slots


def test_existing_data_are_not_lost(disk: Disk) -> None:
    disk.machine.run("mkfs.ext4 -q /dev/loop7")
    assert "is not blank: it holds" in disk.refusal("make")
    disk.machine.run("wipefs --all /dev/loop7")
    disk.write_plain_data()
    assert "lie in the clear in /srv/box, and stay so" in disk.refusal("make")
    assert disk.machine.run("cat /srv/box/data/appliance.db").decode().strip() == SECRET_TEXT
    assert disk.run_command("make move") == "made\n"
    assert disk.has_data()
    disk.machine.run("cd /srv/box.clear && sha256sum --check --quiet /srv/sums")


@pytest.mark.parametrize(("at", "after"), INTERRUPTIONS)
def test_an_interrupted_move_continues_with_the_next_run(disk: Disk, at: str, after: str) -> None:
    disk.write_plain_data()
    assert disk.move_and_kill(at, after) == 137
    disk.run_command("make move")
    assert disk.has_data()
    assert disk.run_command("make") == ""
