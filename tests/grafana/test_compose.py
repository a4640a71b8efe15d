"""compose.yaml as Docker Compose itself understands it (`config` needs no Docker), the files it mounts, and the
script that makes its secrets."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from grafana import source, tools  # noqa: E402
from lib.harness import BINARY  # noqa: E402

ROOT = source.ROOT
LYVE_KEYS = {"LYVE_ACCESS_KEY": "access-key-of-the-test", "LYVE_SECRET_KEY": "secret-key-of-the-test"}
SECRETS = ("influx_password", "influx_admin_token", "influx_write_token", "influx_read_token", "grafana_password")
YAML_FILES = (
    "compose.yaml",
    "compose/config.yaml",
    "doc/grafana/provisioning/dashboards/loggateway.yaml",
    "doc/grafana/provisioning/datasources/loggateway.yaml",
)


def read(*names):
    with open(os.path.join(ROOT, *names), encoding="utf-8") as file:
        return file.read()


class Copied(unittest.TestCase):
    """A folder with what a user has after `cp .env.example .env`."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="loggateway-compose-")
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        shutil.copy(os.path.join(ROOT, "compose.yaml"), self.folder)
        shutil.copy(os.path.join(ROOT, ".env.example"), os.path.join(self.folder, ".env"))
        shutil.copytree(os.path.join(ROOT, "compose"), self.path("compose"), ignore=shutil.ignore_patterns("secrets"))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make_secrets(self, **environment):
        return subprocess.run([self.path("compose", "make-secrets")], capture_output=True, text=True, stdin=subprocess.DEVNULL, start_new_session=True, env={"PATH": os.environ["PATH"], **environment})


class Compose(Copied):
    @classmethod
    def setUpClass(cls):
        cls.program = tools.docker_compose()

    def config(self):
        command = [self.program, "config", "--format", "json"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": self.folder})

    def services(self):
        result = self.config()
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.whole = json.loads(result.stdout)
        return self.whole["services"]

    def test_a_mistake_is_found(self):
        text = read("compose.yaml")
        mistakes = {
            "healthcheck:": "heathcheck:",
            "condition: service_healthy": "condition: service_well",
            "- grafana-data:/var": "- grafana-date:/var",
            "secrets: [grafana_password,": "secrets: [grafana_pasword,",
        }
        for right, wrong in mistakes.items():
            self.assertIn(right, text)
            with open(self.path("compose.yaml"), "w") as file:
                file.write(text.replace(right, wrong, 1))
            self.assertNotEqual(self.config().returncode, 0, wrong)

    def test_it_says_what_is_missing(self):
        os.unlink(self.path(".env"))
        result = self.config()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("copy .env.example to .env", result.stderr)

    def test_images(self):
        services = self.services()
        self.assertEqual(set(services), {"influxdb", "grafana", "gateway"})
        [tested] = re.findall(r"^influxdb=v(\S+)", read("scripts", "servers"), re.M)
        self.assertEqual(services["influxdb"]["image"], "influxdb:" + tested)
        self.assertEqual(services["grafana"]["image"], "grafana/grafana:" + tools.GRAFANA)
        self.assertEqual(services["gateway"]["build"]["context"], self.folder)

    def test_each_is_watched_and_waits_for_influxdb(self):
        for name, service in self.services().items():
            self.assertEqual(service["healthcheck"]["test"][0], "CMD", name)
            self.assertEqual(service["restart"], "unless-stopped")
            self.assertIn("max-size", service["logging"]["options"])
            if name != "influxdb":
                self.assertEqual(service["depends_on"]["influxdb"]["condition"], "service_healthy")

    def test_the_gateway_is_watched_as_its_image_says(self):
        [command] = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", read("Dockerfile"), re.M)
        self.assertEqual(self.services()["gateway"]["healthcheck"]["test"], ["CMD", *json.loads(command)])

    def test_ports_are_for_this_machine(self):
        ports = [(port["host_ip"], port["target"]) for one in self.services().values() for port in one.get("ports", [])]
        self.assertEqual(sorted(ports), [("127.0.0.1", 3000), ("127.0.0.1", 8086)])

    def test_what_is_to_last_is_in_volumes(self):
        kept = {}
        for name, service in self.services().items():
            kept[name] = {one["target"] for one in service["volumes"] if one["type"] == "volume"}
        wanted = {"influxdb": {"/var/lib/influxdb2", "/etc/influxdb2"}, "grafana": {"/var/lib/grafana"}, "gateway": {"/var/lib/loggateway"}}
        self.assertEqual(kept, wanted)

    def test_mounted_files_exist_and_are_read_only(self):
        found = []
        for service in self.services().values():
            for one in service["volumes"]:
                if one["type"] == "bind":
                    found.append(one["target"])
                    self.assertTrue(one["read_only"], one)
                    self.assertTrue(os.path.exists(os.path.join(ROOT, os.path.relpath(one["source"], self.folder))), one)
        self.assertEqual(len(found), 5)

    def test_grafana_finds_what_is_mounted(self):
        service = self.services()["grafana"]
        targets = {one["target"]: os.path.relpath(one["source"], self.folder) for one in service["volumes"] if one["type"] == "bind"}
        folder = re.search(r"^ +path: (\S+)$", read("doc/grafana/provisioning/dashboards/loggateway.yaml"), re.M).group(1)
        self.assertEqual(targets[folder], "doc/grafana/dashboards")
        for kind in ("alerting", "dashboards", "datasources"):
            self.assertEqual(targets["/etc/grafana/provisioning/" + kind], "doc/grafana/provisioning/" + kind)
        home = service["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
        self.assertTrue(os.path.isfile(os.path.join(ROOT, targets[os.path.dirname(home)], os.path.basename(home))))

    def test_the_data_source_has_its_values(self):
        """Each variable of the provisioned data source comes from compose.yaml, the token from a file."""
        wanted = set(re.findall(r"\$(\w+)", read("doc/grafana/provisioning/datasources/loggateway.yaml")))
        given = {name.removesuffix("__FILE") for name in self.services()["grafana"]["environment"]}
        self.assertIn("GF_INFLUX_TOKEN", wanted)
        self.assertEqual(wanted - given, set())

    def test_secrets_are_files_and_nothing_else(self):
        self.assertEqual(self.make_secrets(**LYVE_KEYS).returncode, 0)
        services = self.services()
        for name, service in services.items():
            mounted = {one["target"] for one in service["secrets"]}
            named = {value for key, value in service["environment"].items() if key.endswith("_FILE")}
            if name == "gateway":
                named = set(re.findall(r"\$\{file:([^}]+)\}", read("compose/config.yaml")))
            self.assertEqual(named, mounted, name)
            for key in service["environment"]:
                if re.search("PASSWORD|TOKEN|KEY|SECRET", key):
                    self.assertTrue(key.endswith("_FILE"), key)
        for secret in self.whole["secrets"].values():
            self.assertTrue(os.path.isfile(secret["file"]), secret)
        whole = json.dumps(self.whole)
        for name in os.listdir(self.path("compose", "secrets")):
            with open(self.path("compose", "secrets", name)) as file:
                self.assertNotIn(file.read(), whole)


class Secrets(Copied):
    def contents(self):
        found = {}
        for name in os.listdir(self.path("compose", "secrets")):
            with open(self.path("compose", "secrets", name)) as file:
                found[name] = file.read()
        return found

    def test_made(self):
        result = self.make_secrets(**LYVE_KEYS)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        found = self.contents()
        self.assertEqual(sorted(found), sorted(SECRETS + ("lyve_access_key", "lyve_secret_key")))
        self.assertEqual(found["lyve_access_key"], LYVE_KEYS["LYVE_ACCESS_KEY"])
        self.assertEqual(found["lyve_secret_key"], LYVE_KEYS["LYVE_SECRET_KEY"])
        for name, length in {"influx_password": 32, "influx_admin_token": 64, "grafana_password": 32}.items():
            self.assertRegex(found[name], "^[0-9a-f]{%d}$" % length)
        self.assertEqual(found["influx_read_token"], found["influx_admin_token"])
        self.assertEqual(found["influx_write_token"], found["influx_admin_token"])
        for value in found.values():
            self.assertNotIn(value, result.stdout)

    def test_kept(self):
        self.make_secrets(**LYVE_KEYS)
        first = self.contents()
        os.unlink(self.path("compose", "secrets", "grafana_password"))
        self.assertEqual(self.make_secrets().returncode, 0)
        second = self.contents()
        self.assertNotEqual(second.pop("grafana_password"), first.pop("grafana_password"))
        self.assertEqual(second, first)

    def test_rights(self):
        """The folder is its owner's; the containers' users can read the files that are mounted."""
        self.make_secrets(**LYVE_KEYS)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("compose", "secrets")).st_mode), 0o700)
        for name in os.listdir(self.path("compose", "secrets")):
            self.assertEqual(stat.S_IMODE(os.stat(self.path("compose", "secrets", name)).st_mode), 0o644, name)

    def test_nobody_to_ask(self):
        """Without a terminal and without keys it fails, and leaves no empty secret behind."""
        self.assertNotEqual(self.make_secrets().returncode, 0)
        self.assertEqual(sorted(self.contents()), sorted(SECRETS))

    def test_git_keeps_out_of_them(self):
        if not os.path.isdir(os.path.join(ROOT, ".git")) or not shutil.which("git"):
            self.skipTest("not a git checkout")
        for name in ("compose/secrets/influx_admin_token", ".env"):
            self.assertEqual(subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT).returncode, 0, name)


class Files(unittest.TestCase):
    def test_yaml(self):
        if not shutil.which("yamllint"):
            self.skipTest("no yamllint")
        rules = "{extends: default, rules: {line-length: {max: 120}, document-start: disable}}"
        result = subprocess.run(["yamllint", "--strict", "-d", rules, *YAML_FILES], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))

    def test_the_configuration_of_the_gateway(self):
        """`check` takes it, with secrets elsewhere and the values of .env.example."""
        environment = dict(line.split("=", 1) for line in read(".env.example").splitlines() if re.match(r"\w+=", line))
        with tempfile.TemporaryDirectory() as folder:
            for name in ("lyve_access_key", "lyve_secret_key", "influx_write_token"):
                with open(os.path.join(folder, name), "w") as file:
                    file.write("made-up")
            path = os.path.join(folder, "config.yaml")
            with open(path, "w") as file:
                file.write(read("compose", "config.yaml").replace("/run/secrets", folder))
            command = [BINARY, "-c", path, "check"]
            result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotIn("warn", result.stdout + result.stderr)
            del environment["LYVE_LOG_BUCKET"]
            self.assertEqual(subprocess.run(command, capture_output=True, env=environment, cwd=folder).returncode, 2)


del Copied  # the base is no test


if __name__ == "__main__":
    unittest.main()
