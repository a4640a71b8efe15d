"""The other commands, the configuration's problems as an operator meets them, and the exit codes."""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import generate  # noqa: E402
from lib import expect, harness, scripted  # noqa: E402
from lib.harness import FOLDER, SECRET_KEY, Case, lines, packed, s3_record  # noqa: E402

FLAT = """\
lyvecloud:
  endpoint_url: {url}
  log_bucket: logs
  access_key: ${{LYVE_KEY}}
  secret_key: ${{file:{secret_file}}}
  region: ${{LYVE_REGION:-us-east-1}}
datasources:
  - influxdb
influxdb:
  host: '{url}'
  token: '{token}'
  org: org
  bucket: audit
state: {state}
"""

FOUR_MISTAKES = """\
lyvecloud:
  endpoint_url: http://127.0.0.1:1
  log_bucket: logs
  access_key: key-id
  secret_kee: s
  workers: many
datasources:
  - influxdb
influxdb:
  host: http://127.0.0.1:1
  org: org
  bucket: audit
  batch_lines: 0
"""


class Configuration(Case):
    def check(self, text):
        self.write_config(text)
        return self.run_program("check")

    def flat_text(self, server):
        secret_file = self.path("secret")
        with open(secret_file, "w", encoding="utf-8") as file:
            file.write(SECRET_KEY + "\n")
        return FLAT.format(url=server.url, secret_file=secret_file, token=scripted.TOKEN, state=self.state_path)

    def test_no_file(self):
        """Who has none where the command runs is told how to name it."""
        result = self.run_program("check")
        self.assertEqual(result.code, 2)
        self.assertEqual(result.err, "loggateway: config.yaml: No such file or directory (-c FILE names the configuration)\n")
        result = self.run_program("-c", "other.yaml", "check")
        self.assertEqual(result.err, "loggateway: other.yaml: No such file or directory\n")

    def test_environment_and_files_in_values(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})
        self.write_config(self.flat_text(server))
        result = self.run_program("pull", "--from-date", "2026-01-01", env={"LYVE_KEY": "id-from-environment"})
        self.assertEqual(result.code, 0, str(result))
        self.assertIn("Credential=id-from-environment/", server.of("get")[0].headers["Authorization"])
        self.assert_exact(server)

    def test_an_unset_variable_is_named(self):
        self.write_config(self.flat_text(self.server()))
        result = self.run_program("check")
        self.assertEqual(result.code, 2, str(result))
        self.assertIn("LYVE_KEY", result.err)
        self.assertRegex(result.err, r"config\.yaml:4:\d+: ")

    def test_all_problems_at_once_with_their_places(self):
        result = self.check(FOUR_MISTAKES)
        self.assertEqual(result.code, 2, str(result))
        self.assertRegex(result.err, r"config\.yaml:5:3: .*secret_kee.*secret_key")
        self.assertRegex(result.err, r"config\.yaml:6:\d+: .*workers")
        self.assertRegex(result.err, r"config\.yaml:\d+:\d+: .*influxdb\.token: required \(InfluxDB > API tokens\)")
        self.assertRegex(result.err, r"config\.yaml:13:\d+: .*batch_lines")
        self.assertRegex(result.err, r"config\.yaml:\d+:\d+: .*lyvecloud\.secret_key: required")

    def test_every_command_refuses_a_broken_file(self):
        self.write_config(FOUR_MISTAKES)
        for arguments in (["check"], ["status"], ["pull", "--from-date", "2026-01-01"]):
            self.assertEqual(self.run_program(*arguments).code, 2, arguments)

    def test_not_yaml(self):
        result = self.check("lyvecloud: [unclosed\n  x: {")
        self.assertEqual(result.code, 2)
        self.assertRegex(result.err, r"config\.yaml:\d+:\d+: ")

    def test_a_missing_file(self):
        result = self.run_program("check")
        self.assertEqual(result.code, 2)
        self.assertIn("config.yaml", result.err)

    def test_a_good_file_is_good(self):
        self.flat_config(self.server())
        result = self.run_program("check")
        self.assertEqual(result.code, 0, str(result))

    def test_a_literal_secret_in_a_readable_file_is_warned_about(self):
        self.flat_config(self.server())
        os.chmod(self.config_path, 0o644)
        result = self.run_program("check")
        self.assertEqual(result.code, 0, str(result))
        self.assertIn("warning: ", result.err)
        self.assertNotIn(SECRET_KEY, result.err + result.out)
        os.chmod(self.config_path, 0o600)
        self.assertNotIn("warning: ", self.run_program("check").err)

    def test_state_beside_the_file_by_default(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})
        self.flat_config(server)
        with open(self.config_path, encoding="utf-8") as file:
            config = json.load(file)
        del config["state"]
        self.write_config(config)
        self.pull()
        self.assertTrue(os.path.exists(self.path("loggateway.db")))
        os.mkdir(self.path("elsewhere"))
        self.run_program("pull", "--from-date", "2026-01-01", env={"STATE_DIRECTORY": self.path("elsewhere")})
        self.assertTrue(os.path.exists(self.path("elsewhere", "loggateway.db")))


class Usage(Case):
    def test_exit_2_for_wrong_usage(self):
        self.flat_config(self.server())
        for arguments in (
            [],
            ["pul"],
            ["pull"],
            ["pull", "--from-date"],
            ["pull", "--from-date", "soon"],
            ["pull", "--from-date", "2026-01-01", "--agian"],
            ["pull", "nojob", "--from-date", "2026-01-01"],
            ["pull", "--from-date", "2026-02-01", "--to-date", "2026-01-01"],
            ["parse"],
            ["parse", "--as", "nothing", "x"],
        ):
            result = self.run_program(*arguments)
            self.assertEqual(result.code, 2, "%s: %s" % (arguments, result))
            self.assertTrue(result.err, arguments)

    def test_messages_about_dates(self):
        """All commands say the same, and which date."""
        self.flat_config(self.server())
        for words in (["pull", "--from-date"], ["verify", "--to-date"], ["schedule", "--from-date"], ["dead-letters", "list", "--since"]):
            result = self.run_program(*words, "soon")
            self.assertEqual(result.code, 2, words)
            self.assertIn("%s: %s soon: not a date (2022-05-30, -720h)" % (words[0], words[-1]), result.err)
        result = self.run_program("pull", "--from-date", "2200-01-01")
        self.assertIn("pull: --from-date 2200-01-01 is not before now", result.err)

    def test_a_second_job_is_too_many(self):
        self.flat_config(self.server())
        for command in ("pull", "schedule", "status", "report", "verify"):
            result = self.run_program(command, "lyvecloud", "other")
            self.assertEqual(result.code, 2, "%s: %s" % (command, result))
            self.assertIn("%s: one job at most: 'other' is too many" % command, result.err)

    def test_output_that_is_not_written_is_a_failure(self):
        """A table cut short by a full disk does not look whole."""
        self.write_config({"jobs": [{"name": "a", "from": "logs", "to": ["out"]}], "logs": {"type": "file", "path": self.folder}, "out": {"type": "file", "path": self.path("out")}})
        for command in ("modules", "status", "status --json", "schedule -n 5000", "check"):
            with self.subTest(command=command), open("/dev/full", "wb") as full:
                run = [harness.BINARY, "-c", self.config_path, *command.split()]
                process = subprocess.run(run, stdout=full, stderr=subprocess.PIPE, cwd=self.folder, timeout=60, check=False)
                self.assertEqual(process.returncode, 1)
                self.assertIn(b"standard output", process.stderr)

    def test_nothing_takes_the_place_of_a_closed_stream(self):
        """A file or connection there would have the log lines in it."""
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1))})
        server.fault("get", scripted.edit(delay_s=30))
        self.flat_config(server)
        run = [harness.BINARY, "-c", self.config_path, "pull", "--from-date", "2026-01-01"]
        shell = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *run]
        process = subprocess.Popen(shell, cwd=self.folder, env=harness.ENVIRONMENT, preexec_fn=harness.die_with_parent)
        self.addCleanup(harness.stop_process, process)
        harness.wait_for(lambda: server.of("get"))
        self.assertEqual([os.readlink("/proc/%d/fd/%d" % (process.pid, number)) for number in range(3)], ["/dev/null"] * 3)

    def test_help_and_version(self):
        result = self.run_program("--help")
        self.assertEqual(result.code, 0)
        for command in ("pull", "check", "status", "parse", "modules"):
            self.assertIn(command, result.out)
        self.assertRegex(self.run_program("--version").out, r"^loggateway \d+\.\d+\.\d+\n$")

    def test_help_of_a_command(self):
        """Wherever it stands, and without a configuration; only of that command."""
        for arguments in (["pull", "--help"], ["pull", "lyvecloud", "-h"], ["pull", "--again", "--help"]):
            result = self.run_program(*arguments)
            self.assertEqual((result.code, result.err), (0, ""), arguments)
            self.assertIn("pull [JOB] --from-date DATE", result.out)
            self.assertNotIn("dead-letters", result.out)
        self.assertEqual(self.run_program("parse", "--", "--help").code, 1, "a file of that name")

    def test_messages_name_the_program(self):
        self.assertEqual(self.run_program("--agian").err, "loggateway: unrecognized option '--agian'\n")
        self.assertEqual(self.run_program("pull", "--agian").err, "loggateway: pull: unrecognized option '--agian'\n")

    def test_modules_names_what_is_built_in(self):
        result = self.run_program("modules")
        self.assertEqual(result.code, 0, str(result))
        for name in ("lyve_s3", "lyve_console", "lyve_iam", "lyve_api", "s3", "file", "influxdb", "sqlite", "line_protocol", "endpoint_url", "batch_lines"):
            self.assertIn(name, result.out)


class Check(Case):
    def connect(self, code, server, **stanzas):
        self.flat_config(server, **stanzas)
        result = self.run_program("check", "--connect")
        self.assertEqual(result.code, code, str(result))
        return result.out + result.err

    def test_connect_when_all_is_well(self):
        server = self.server()
        self.connect(0, server)
        self.assertTrue(server.of("list") + server.of("folders"))
        writes = server.of("write")
        self.assertEqual([one.body for one in writes if one.body and not one.headers.get("Content-Encoding")], [])
        self.assertTrue(writes, "an empty body tells a write-only token")
        self.assertEqual(server.points, {})

    def test_connect_says_which_place_refuses(self):
        self.assertIn("nowhere", self.connect(1, self.server(), s3={"log_bucket": "nowhere"}))
        self.assertIn("401", self.connect(1, self.server(), influx={"token": "wrong"}))
        self.assertIn("nobody", self.connect(1, self.server(), influx={"org": "nobody"}))

    def test_connect_to_nobody(self):
        server = self.server()
        text = self.connect(1, server, influx={"host": "http://127.0.0.1:1"})
        self.assertIn("influxdb", text)


class Status(Case):
    def test_before_and_after(self):
        server = self.server({FOLDER + "S3-a.gz": packed(s3_record(1), "broken", s3_record(2)), FOLDER + "S3-b.gz": b"\x1f\x8b\x08junk"})
        self.flat_config(server)
        before = self.run_program("status")
        self.assertEqual(before.code, 0, str(before))
        self.assertFalse(os.path.exists(self.state_path), "status creates nothing")
        self.pull(code=1)
        after = self.run_program("status")
        self.assertEqual(after.code, 0, str(after))
        for word in ("lyvecloud", "settled", "quarantined", "S3-b.gz", "dead"):
            self.assertIn(word, after.out)


class Parse(Case):
    def parse(self, data, *arguments, code=0, name="S3-orders-x.gz"):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(data)
        result = self.run_program("parse", *arguments, path)
        self.assertEqual(result.code, code, str(result))
        return result

    def points(self, text):
        return dict(scripted.parse_line(line) for line in scripted.split_lines(text))

    def test_generated_objects_offline(self):
        for one in self.generated(objects_per_kind=2):
            moment = generate.date_text(one.delivered_s) + "Z"
            result = self.parse(one.data, "--last-modified", moment)
            self.assert_points(self.points(result.out), expect.expect([(one.key, one.data, one.delivered_s * expect.SECOND)]).points)

    def test_needs_no_configuration(self):
        self.assertFalse(os.path.exists(self.config_path))
        self.assertEqual(len(self.points(self.parse(lines(s3_record(1), s3_record(2))).out)), 2)

    def test_dead_records_make_it_1(self):
        result = self.parse(lines(s3_record(1), "broken"), code=1)
        self.assertEqual(len(self.points(result.out)), 1)
        self.assertIn("2", result.err)

    def test_as_one_parser_only(self):
        result = self.parse(lines(s3_record(1), {"ConsoleEvent": {}}), "--as", "lyve_s3", code=1)
        self.assertEqual(len(self.points(result.out)), 1)


if __name__ == "__main__":
    unittest.main()
