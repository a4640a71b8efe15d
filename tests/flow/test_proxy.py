"""The way out through a proxy, as libcurl's environment variables name it."""

import os
import socket
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import tls  # noqa: E402
from lib.harness import FOLDER, Case, packed, s3_record  # noqa: E402

KEY = FOLDER + "S3-orders-2026-03-01-12-00-00.gz"
NAME = "s3.elsewhere.example"
PASSWORD = "leak-canary-proxy-5e1f"


def pump(source, target):
    """Hands on what comes until one of the two hangs up."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Proxy:
    """Answers CONNECT and brings everybody to one port of this machine, whatever name they ask for."""

    def __init__(self, port, refuse=False):
        self.port, self.refuse = port, refuse
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(4096)
                if not data:
                    return
                head += data
            self.asked.append(head.split(b"\r\n")[0].decode())
            if self.refuse:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                return
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                back = threading.Thread(target=pump, args=(server, client), daemon=True)
                back.start()
                pump(client, server)
                back.join()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class Proxies(Case):
    def pull_through(self, **changes):
        """S3 has a name that only the proxy knows; InfluxDB is on this machine, which no_proxy leaves out."""
        self.s3, self.influx = self.server({KEY: packed(*(s3_record(number) for number in range(20)))}), self.server()
        path = tls.certificate(self.folder, "DNS:" + NAME)
        port = tls.secure(self.s3, path).rpartition(":")[2]
        self.proxy = Proxy(int(port), **changes)
        self.addCleanup(self.proxy.stop)
        s3 = {"endpoint_url": "https://%s:%s" % (NAME, port), "ca_file": path, "retries": 0}
        self.flat_config(self.s3, s3=s3, influx={"host": self.influx.url})
        address = "http://user:%s@127.0.0.1:%d" % (PASSWORD, self.proxy.listener.getsockname()[1])
        result = self.run_program("pull", "--from-date", "2026-01-01", env={"https_proxy": address, "http_proxy": address})
        self.assertEqual(set(self.proxy.asked), {"CONNECT %s:%s HTTP/1.1" % (NAME, port)})
        self.assertNotIn(PASSWORD, result.out + result.err)
        return result

    def test_through_a_proxy(self):
        result = self.pull_through()
        self.assertEqual(result.code, 0, str(result))
        self.assertEqual(len(self.influx.audit_points()), 20)

    def test_a_proxy_that_refuses(self):
        result = self.pull_through(refuse=True)
        self.assertEqual(result.code, 1, str(result))
        self.assertIn("407", result.err)
        self.assertEqual(self.s3.requests, [])


if __name__ == "__main__":
    unittest.main()
