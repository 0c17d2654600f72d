"""The TLS front of a local site: a certificate authority, and nginx under the calling user."""

import subprocess
from pathlib import Path

from provisioning.local.place import GUNICORN_PORT, HTTP_PORT, TLS_PORT, Place

RENEW_BEFORE_SECONDS = 30 * 86400  # a certificate is replaced this long before its end
_NGINX_TEMPLATE = """\
# Rewritten at every start of the local site.
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
        ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
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
    """Make the authority and the server's certificate if missing or old.

    Returns the file of the authority's certificate.
    """
    folder = place.folder / "tls"
    folder.mkdir(mode=0o700, exist_ok=True)
    authority, server = folder / "ca.pem", folder / "server.pem"
    if not _is_valid(authority):
        server.unlink(missing_ok=True)
        _run_openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", "/CN=Local site authority", "-days", "3650"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", str(folder / "ca.key"), "-out", str(authority)),
        )
    if not _is_valid(server):
        _run_openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-CA", str(authority), "-CAkey", str(folder / "ca.key"), "-days", "397"),
            *("-subj", f"/CN={place.box_address}", "-addext", "basicConstraints=critical,CA:FALSE"),
            *("-addext", f"subjectAltName=IP:{place.box_address},DNS:localhost"),
            *("-addext", "extendedKeyUsage=serverAuth"),
            *("-keyout", str(folder / "server.key"), "-out", str(server)),
        )
    return authority


def write_config(place: Place, built: Path) -> list[str]:
    """Write nginx's configuration; returns the command that runs it."""
    (place.run_folder / "nginx").mkdir(parents=True, exist_ok=True)
    file = place.run_folder / "nginx.conf"
    config = _NGINX_TEMPLATE.format(
        box=place.box_address,
        built=built,
        gunicorn=GUNICORN_PORT,
        http=HTTP_PORT,
        logs=place.log_folder,
        run=place.run_folder,
        tls=TLS_PORT,
        tls_files=place.folder / "tls",
    )
    file.write_text(config, "utf-8")
    # One file for each connection, and one for its connection to the pages.
    command = ["prlimit", "--nofile=10000:", "nginx"]
    return [
        *command,
        "-c",
        str(file),
        "-p",
        str(place.run_folder),
        "-e",
        str(place.log_folder / "front.log"),
    ]


def _is_valid(certificate: Path) -> bool:
    """Returns True if the certificate exists and does not end within RENEW_BEFORE_SECONDS."""
    command = [
        "openssl",
        "x509",
        "-in",
        str(certificate),
        "-noout",
        "-checkend",
        str(RENEW_BEFORE_SECONDS),
    ]
    return certificate.exists() and subprocess.run(command, capture_output=True).returncode == 0


def _run_openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
