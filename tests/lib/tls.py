"""TLS for the scripted server: certificates that are their own authority, made when they are wanted."""

import os
import ssl
import subprocess


def certificate(folder, names, name="certificate.pem"):
    """The path of a new one for names such as "IP:127.0.0.1"; its key is beside it."""
    path = os.path.join(folder, name)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=" + name, "-addext", "subjectAltName=" + names, "-keyout", path + ".key", "-out", path]
    subprocess.run(command, check=True, capture_output=True)
    return path


def secure(server, path):
    """Puts a scripted server behind TLS, before its first request; returns its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, path + ".key")
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True, do_handshake_on_connect=False)
    return server.url.replace("http:", "https:")
