"""Places behind TLS: what is trusted, what is not, and that nobody who is not gets to see a secret."""

import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from lib import tls  # noqa: E402
from lib.harness import BINARY, ENVIRONMENT, FOLDER, Case, packed, s3_record  # noqa: E402

KEY = FOLDER + "S3-orders-2026-03-01-12-00-00.gz"
OURS, ELSEWHERE = "IP:127.0.0.1", "DNS:elsewhere.example"


class Tls(Case):
    def pull_where_all_trust(self, path):
        """A pull on a machine that trusts a certificate by itself: in a mount namespace with other /etc/ssl/certs."""
        folder = os.path.join(self.folder, "trusted")
        os.mkdir(folder)
        for name in ("authority.pem", "ca-certificates.crt"):  # found by its hash, and the bundle
            shutil.copy(path, os.path.join(folder, name))
        subprocess.run(["openssl", "rehash", folder], check=True, capture_output=True)
        inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", 'mount --bind "$0" /etc/ssl/certs && "$@"', folder]
        if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
            self.skipTest("no namespaces here")
        command = [*inside, BINARY, "-c", self.config_path, "pull", "--from-date", "2026-01-01"]
        return subprocess.run(command, cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)

    def two_places(self, s3_names=None, influx_names=None, trusted=True):
        """S3 and InfluxDB, behind TLS where there are names for it."""
        s3, influx = self.server({KEY: packed(*(s3_record(number) for number in range(20)))}), self.server()
        options = []
        for server, names in ((s3, s3_names), (influx, influx_names)):
            path = tls.certificate(self.folder, names) if names else None
            url = tls.secure(server, path) if names else server.url
            options.append((url, {"ca_file": path} if names and trusted else {}))
        (s3_url, s3_more), (influx_url, influx_more) = options
        self.flat_config(s3, s3={"endpoint_url": s3_url, "retries": 0, **s3_more}, influx={"host": influx_url, **influx_more})
        return s3, influx

    def assert_refused(self, words, server, influx):
        result = self.pull(code=1)
        self.assertIn("TLS: ", result.err)
        self.assertIn(words, result.err)
        self.assertIn("ca_file", result.err)
        self.assertEqual(server.requests, [], "nobody said a word to it")
        self.assertEqual(influx.audit_points(), {})
        self.assertEqual(self.ledger("SELECT count(*) FROM object WHERE state = 1")[0][0], 0, "settled")

    def test_a_trusted_s3(self):
        self.two_places(s3_names=OURS)
        self.assert_figures(self.pull(), read=20, stored=20)
        self.assertEqual(self.ledger("SELECT count(*) FROM object WHERE state = 1")[0][0], 1, "settled")

    def test_a_trusted_influxdb(self):
        influx = self.two_places(influx_names=OURS)[1]
        self.assert_figures(self.pull(), read=20, stored=20)
        self.assertEqual(len(influx.audit_points()), 20)

    def test_an_s3_that_nobody_vouches_for(self):
        s3, influx = self.two_places(s3_names=OURS, trusted=False)
        self.assert_refused("certificate", s3, influx)

    def test_an_influxdb_that_nobody_vouches_for(self):
        influx = self.two_places(influx_names=OURS, trusted=False)[1]
        self.assert_refused("certificate", influx, influx)

    def test_an_s3_with_the_certificate_of_another(self):
        s3, influx = self.two_places(s3_names=ELSEWHERE)
        self.assert_refused("127.0.0.1", s3, influx)

    def test_an_influxdb_with_the_certificate_of_another(self):
        influx = self.two_places(influx_names=ELSEWHERE)[1]
        self.assert_refused("127.0.0.1", influx, influx)

    def test_the_systems_authorities(self):
        s3, influx = self.two_places(s3_names=OURS, trusted=False)
        result = self.pull_where_all_trust(os.path.join(self.folder, "certificate.pem"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(influx.audit_points()), 20)

    def test_a_ca_file_stands_in_their_place(self):
        s3, influx = self.two_places(s3_names=OURS)
        path = os.path.join(self.folder, "certificate.pem")
        other = tls.certificate(self.folder, OURS, "other.pem")
        os.rename(path, path + ".trusted")
        os.rename(other, path)  # which is what ca_file names
        result = self.pull_where_all_trust(path + ".trusted")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn("TLS: ", result.stderr)
        self.assertEqual(s3.requests, [])
        self.assertEqual(influx.audit_points(), {})

    def test_a_ca_file_that_is_not_there(self):
        s3, influx = self.two_places(s3_names=OURS)
        os.unlink(os.path.join(self.folder, "certificate.pem"))
        self.assert_refused("certificate.pem", s3, influx)


if __name__ == "__main__":
    unittest.main()
