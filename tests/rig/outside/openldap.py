"""OpenLDAP's slapd with two users who have passwords."""

import subprocess
from pathlib import Path

from tests.rig.outside.party import ExternalServer, make_certificate

DIRECTORY_PASSWORDS = {"nilufar.k": "katalogdagi parol 1", "rustam.t": "katalogdagi parol 2"}
BIND_PATTERN = "uid={},ou=people,dc=vazirlik,dc=uz"
_SLAPD_CONF = """\
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
_TREE_LDIF = """\
dn: dc=vazirlik,dc=uz
objectClass: dcObject
objectClass: organization
dc: vazirlik
o: Vazirlik

dn: ou=people,dc=vazirlik,dc=uz
objectClass: organizationalUnit
ou: people

"""
_PERSON_LDIF = """\
dn: uid={uid},ou=people,dc=vazirlik,dc=uz
objectClass: inetOrgPerson
uid: {uid}
cn: {uid}
sn: {uid}
userPassword: {password}

"""


def make_directory(folder: Path, address: str) -> ExternalServer:
    """A directory with TLS on host:port, and without on the next port, where it demands TLS."""
    (folder / "data").mkdir()
    host, _, port = address.partition(":")
    make_certificate(folder, host)
    conf, tree = folder / "slapd.conf", folder / "tree.ldif"
    conf.write_text(_SLAPD_CONF.format(folder=folder))
    people = "".join(_PERSON_LDIF.format(uid=u, password=p) for u, p in DIRECTORY_PASSWORDS.items())
    tree.write_text(_TREE_LDIF + people)
    load = ["/usr/sbin/slapadd", "-f", str(conf), "-l", str(tree)]
    subprocess.run(load, check=True, capture_output=True)
    urls = f"ldaps://{address}/ ldap://{host}:{int(port) + 1}/"
    command = ["/usr/sbin/slapd", "-f", str(conf), "-h", urls, "-d", "stats"]
    return ExternalServer(folder, command, "slapd starting")
