#!/bin/sh
# The first process of the machine: only what calls need.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
mkdir -p /dev/pts /dev/shm /run/sshd
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
modprobe virtio_net
ip link set lo up
for card in /sys/class/net/e*; do
    ip link set "${card##*/}" up
    ip address add 10.0.2.15/24 dev "${card##*/}"
done
hostname vm
/usr/sbin/sshd -D &
while :; do wait; sleep 1; done
