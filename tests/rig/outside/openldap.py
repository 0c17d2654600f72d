"""OpenLDAP's slapd with two people, who have passwords there."""

import subprocess
from pathlib import Path

from tests.rig.outside.party import Party, make_certificate

PEOPLE = {"nilufar.k": "katalogdagi parol 1", "rustam.t": "katalogdagi parol 2"}
BIND = "uid={},ou=people,dc=vazirlik,dc=uz"
_CONF = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
security simple_bind=64
database mdb
suffix "dc=vazirlik,dc=uz"
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by * none
"""
_TREE = """\
dn: dc=vazirlik,dc=uz
objectClass: dcObject
objectClass: organization
dc: vazirlik
o: Vazirlik

dn: ou=people,dc=vazirlik,dc=uz
objectClass: organizationalUnit
ou: people

"""
_PERSON = """\
dn: uid={uid},ou=people,dc=vazirlik,dc=uz
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
sn: {uid}
userPassword: {password}

"""


def directory(folder: Path, address: str) -> Party:
    """It listens with TLS on host:port, and on the next port without, where it demands it."""
    (folder / "data").mkdir()
    host, _, port = address.partition(":")
    make_certificate(folder, host)
    conf, tree = folder / "slapd.conf", folder / "tree.ldif"
    conf.write_text(_CONF.format(folder=folder))
    people = "".join(_PERSON.format(uid=u, password=p) for u, p in PEOPLE.items())
    tree.write_text(_TREE + people)
    load = ["/usr/sbin/slapadd", "-f", str(conf), "-l", str(tree)]
    subprocess.run(load, check=True, capture_output=True)
    where = f"ldaps://{address}/ ldap://{host}:{int(port) + 1}/"
    command = ["/usr/sbin/slapd", "-f", str(conf), "-h", where, "-d", "stats"]
    return Party(folder, command, "slapd starting")
