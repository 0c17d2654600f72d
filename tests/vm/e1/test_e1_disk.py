"""The role disk's command on a real kernel: a volume is made, opened, moved onto, mended.

In the machine of the E1, because the box's container has no device mapper.
"""

from collections.abc import Iterator

import pytest

from tests.rig.rendering import ROLES
from tests.vm.e1.e1world import World
from tests.vm.e1.vmachine import Machine

pytestmark = pytest.mark.vm

COMMAND = ROLES / "disk" / "files" / "appliance-disk"
MEGABYTES = 40  # of the disk; 16 are the volume's head
SECRET = "Karimova Dilnoza, 901234567"
# Stands for a program: where it is called for that, everything is killed in the middle of it.
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
# (where it is killed, seconds after that began)
MOMENTS = (
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

    def blank(self) -> None:
        """Nothing is mounted or open, no key is there, no data."""
        self.machine.run(
            "umount -q /srv/box /run/appliance-disk/*; cryptsetup close -q hotline; "
            "losetup -D; rm -rf /srv/box* /srv/disk /etc/cryptsetup-keys.d /etc/appliance; "
            f"mkdir -p /etc/appliance && truncate -s {MEGABYTES}M /srv/disk && "
            "losetup /dev/loop7 /srv/disk && "
            "printf 'device=/dev/loop7\\nstick=\\nhome=/srv/box\\n' >/etc/appliance/disk.conf"
        )

    def run(self, words: str, typed: str = "") -> str:
        """What the command prints. Raises RuntimeError with what it says."""
        return self.machine.run(f"appliance-disk {words}", sent=typed.encode()).decode()

    def refusal(self, words: str, typed: str = "") -> str:
        """What the command says when it refuses."""
        with pytest.raises(RuntimeError) as refused:
            self.run(words, typed)
        return str(refused.value)

    def switch_off(self) -> None:
        """As after a start of the machine: nothing is open."""
        self.machine.run("umount /srv/box && cryptsetup close hotline")

    def fill(self) -> None:
        """Data of a box, in the clear."""
        self.machine.run(
            f"mkdir -p /srv/box/data && echo '{SECRET}' >/srv/box/data/appliance.db && "
            "head -c 4M /dev/urandom >/srv/box/data/talk && chown -R 7:7 /srv/box && "
            "(cd /srv/box && find . -type f -exec sha256sum {} + >/srv/sums)"
        )

    def holds(self) -> bool:
        """Whether the data lie on the volume, as they were, and belong to whom they did."""
        self.machine.run("cd /srv/box && sha256sum --check --quiet /srv/sums")
        told = self.machine.run("findmnt -no SOURCE /srv/box; stat -c %u /srv/box/data/talk")
        return told.split() == [b"/dev/mapper/hotline", b"7"]

    def killed(self, at: str, after: str) -> int:
        """End all of it by SIGKILL while it moves data; the exit code."""
        path = "PATH=/srv/stand-ins:$PATH"
        words = f"STOP_AT='{at}' STOP_AFTER={after} {path} setsid appliance-disk make move"
        return int(self.machine.run(f"{words} >/dev/null 2>&1; echo $?"))


@pytest.fixture(scope="module")
def machine(e1: World) -> Machine:
    e1.machine.run("cat >/usr/local/sbin/appliance-disk", sent=COMMAND.read_bytes())
    e1.machine.run("chmod +x /usr/local/sbin/appliance-disk; modprobe -a dm-crypt loop")
    e1.machine.run("mkdir -p /srv/stand-ins && cat >/srv/stand-ins/cp", sent=STAND_IN.encode())
    e1.machine.run(
        "cd /srv/stand-ins && chmod +x cp && for one in cryptsetup mkfs.ext4 diff mv; do "
        "cp cp $one; done"
    )
    return e1.machine


@pytest.fixture
def disk(machine: Machine) -> Iterator[Disk]:
    made = Disk(machine)
    made.blank()
    yield made
    made.blank()


def test_a_blank_disk_becomes_a_volume_that_only_its_keys_open(disk: Disk) -> None:
    assert disk.run("make") == "made\n"
    assert disk.run("make") == ""  # a second run changes nothing
    disk.machine.run(f"echo '{SECRET}' >/srv/box/secret && sync")
    assert disk.machine.run(f"grep -c '{SECRET}' /srv/disk || true") == b"0\n"
    number = disk.machine.run("stat -c '%Hd:%Ld' /srv/box").decode().strip()
    told = disk.machine.run(f"cat /sys/dev/block/{number}/dm/uuid")
    assert told.startswith(b"CRYPT-LUKS2-")  # as the self-check looks

    disk.switch_off()
    assert disk.run("open") == "opened\n"
    assert disk.run("open") == ""
    assert SECRET in disk.machine.run("cat /srv/box/secret").decode()

    paper = disk.machine.run("cat /etc/appliance/disk.paper").decode()
    disk.switch_off()
    disk.machine.run("rm /etc/cryptsetup-keys.d/hotline.key")
    assert "is not here" in disk.refusal("open")
    assert "does not open" in disk.refusal("open paper", paper[:-1] + "!\n")
    assert disk.run("open paper", f"{paper}\n") == "opened\n"

    # Another box, with that disk and the sheet.
    assert disk.run("rotate paper", f"{paper}\n") == "rotated\n"
    disk.switch_off()
    assert disk.run("make") == "opened\n"
    assert "does not open" in disk.refusal("rotate paper", f"{paper}\n")


def test_keys_are_rotated_while_it_is_in_use(disk: Disk) -> None:
    disk.run("make")
    disk.machine.run("cp -r /etc/cryptsetup-keys.d /srv/box.keys")
    before = disk.machine.run("cat /etc/appliance/disk.paper")
    disk.machine.run(
        "STOP_AT='luksKillSlot /dev/loop7 0' PATH=/srv/stand-ins:$PATH "
        "setsid appliance-disk rotate >/dev/null 2>&1; true"
    )
    assert disk.run("rotate") == "rotated\n"
    assert disk.machine.run("cat /etc/appliance/disk.paper") != before
    tried = "cryptsetup open --test-passphrase /dev/loop7 --key-file"
    with pytest.raises(RuntimeError):
        disk.machine.run(f"{tried} /srv/box.keys/hotline.key")
    disk.machine.run(f"{tried} /etc/cryptsetup-keys.d/hotline.key")
    disk.machine.run(f"{tried} /etc/appliance/disk.paper")
    dump = disk.machine.run("cryptsetup luksDump /dev/loop7").decode()
    assert dump.count(": luks2\n") == 2  # slots


def test_what_is_there_is_not_lost(disk: Disk) -> None:
    disk.machine.run("mkfs.ext4 -q /dev/loop7")
    assert "is not blank: it holds" in disk.refusal("make")
    disk.machine.run("wipefs --all /dev/loop7")
    disk.fill()
    assert "lie in the clear in /srv/box, and stay so" in disk.refusal("make")
    assert disk.machine.run("cat /srv/box/data/appliance.db").decode().strip() == SECRET
    assert disk.run("make move") == "made\n"
    assert disk.holds()
    disk.machine.run("cd /srv/box.clear && sha256sum --check --quiet /srv/sums")


@pytest.mark.parametrize(("at", "after"), MOMENTS)
def test_who_is_killed_in_the_middle_goes_on_the_next_time(disk: Disk, at: str, after: str) -> None:
    disk.fill()
    assert disk.killed(at, after) == 137
    disk.run("make move")
    assert disk.holds()
    assert disk.run("make") == ""
