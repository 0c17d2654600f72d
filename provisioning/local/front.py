"""The TLS front of a local site: its own certificate authority, and nginx as the calling user."""

import subprocess
from pathlib import Path

from provisioning.local.place import GUNICORN, HTTP, TLS, Place

RENEW = 30 * 86400  # seconds before the end of a certificate
_NGINX = """\
# Written anew by every start of the local site.
daemon off;
master_process off;
pid {run}/nginx.pid;
error_log {logs}/front.log warn;
events {{ worker_connections 4096; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    server_tokens off;
    client_max_body_size 20m;
    client_header_timeout 10s;
    client_body_timeout 10s;
    send_timeout 30s;
    keepalive_timeout 30s;
    limit_conn_zone $binary_remote_addr zone=address:10m;
    limit_conn address 1000;
    limit_conn_status 429;
    limit_conn_zone $binary_remote_addr zone=phones_of_address:1m;
    client_body_temp_path {run}/nginx/body;
    proxy_temp_path {run}/nginx/proxy;
    fastcgi_temp_path {run}/nginx/fastcgi;
    uwsgi_temp_path {run}/nginx/uwsgi;
    scgi_temp_path {run}/nginx/scgi;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header Connection "";
    upstream pages {{
        server {box}:{gunicorn};
        keepalive 32;
    }}
    server {{
        listen {box}:{tls} ssl;
        http2 on;
        client_max_body_size 40m;
        error_page 413 /too-large;
        ssl_certificate {tls_files}/server.pem;
        ssl_certificate_key {tls_files}/server.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        location /built/ {{
            alias {built}/;
            add_header Cache-Control "public, max-age=31536000, immutable";
            add_header X-Content-Type-Options nosniff;
        }}
        location /live {{
            proxy_pass http://pages;
            proxy_buffering off;
            proxy_read_timeout 1h;
        }}
        location = /ws {{
            auth_request /session;
            limit_conn phones_of_address 40;
            proxy_pass http://{box}:{http}/ws;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_read_timeout 1m;
        }}
        location = /session {{
            internal;
            proxy_pass http://pages/operator/session;
            proxy_pass_request_body off;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header Content-Length "";
            proxy_set_header HX-Request true;  # refused by 401, not led to the login
        }}
        location = /too-large {{
            internal;
            proxy_pass http://pages;
            proxy_method GET;
            proxy_pass_request_body off;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header Content-Length "";
        }}
        location / {{ proxy_pass http://pages; }}
    }}
}}
"""


def make_certificates(place: Place) -> Path:
    """Make the authority and the server's certificate where missing or old; returns the former."""
    folder = place.folder / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    authority, server = folder / "ca.pem", folder / "server.pem"
    if not _lasts(authority):
        server.unlink(missing_ok=True)
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", "/CN=Local site authority", "-days", "3650"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", str(folder / "ca.key"), "-out", str(authority)),
        )
    if not _lasts(server):
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-CA", str(authority), "-CAkey", str(folder / "ca.key"), "-days", "397"),
            *("-subj", f"/CN={place.box}", "-addext", "basicConstraints=critical,CA:FALSE"),
            *("-addext", f"subjectAltName=IP:{place.box},DNS:localhost"),
            *("-addext", "extendedKeyUsage=serverAuth"),
            *("-keyout", str(folder / "server.key"), "-out", str(server)),
        )
    return authority


def configure(place: Place, built: Path) -> list[str]:
    """Write nginx's configuration; returns the command that runs it."""
    (place.run / "nginx").mkdir(parents=True, exist_ok=True)
    file = place.run / "nginx.conf"
    text = _NGINX.format(
        box=place.box,
        built=built,
        gunicorn=GUNICORN,
        http=HTTP,
        logs=place.logs,
        run=place.run,
        tls=TLS,
        tls_files=place.folder / "tls",
    )
    file.write_text(text, "utf-8")
    # A file for each connection, and one for what is behind it.
    program = ["prlimit", "--nofile=10000:", "nginx"]
    return [*program, "-c", str(file), "-p", str(place.run), "-e", str(place.logs / "front.log")]


def _lasts(certificate: Path) -> bool:
    check = ["openssl", "x509", "-in", str(certificate), "-noout", "-checkend", str(RENEW)]
    return certificate.exists() and subprocess.run(check, capture_output=True).returncode == 0


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
