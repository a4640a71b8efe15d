"""Fetches the tools of these tests from their registries, once, into a cache folder: Grafana's types and
front-end code, and Docker Compose, whose `config` needs no Docker. What cannot be had is a skipped test, by name."""

import os
import shutil
import subprocess
import unittest

FOLDER = os.environ.get("LOGGATEWAY_TOOLS", os.path.expanduser("~/.cache/loggateway/tools"))
GRAFANA = "12.4.10"  # the version of the image in compose.yaml; a test compares them
TYPESCRIPT = "5.9.3"
COMPOSE = "v5.0.2"


def run(command, **more):
    """Runs it; a failure (there is no network, most often) skips the test."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, **more)
    if result.returncode:
        raise unittest.SkipTest("%s does not run here: %s" % (" ".join(command[:2]), result.stderr.strip()[-300:]))


def fetch(name, make):
    """The folder of a tool; make(folder) fills it, and it appears whole or not at all."""
    folder = os.path.join(FOLDER, name)
    if not os.path.isdir(folder):
        part = "%s.part-%d" % (folder, os.getpid())
        os.makedirs(part)
        try:
            make(part)
            os.rename(part, folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return folder


def npm_folder(name, *packages):
    """The node_modules folder of some packages."""
    if not shutil.which("npm") or not shutil.which("node"):
        raise unittest.SkipTest("no npm: %s cannot be had" % packages[0])
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps", "--prefix"]
    folder = fetch("%s-%s" % (name, GRAFANA), lambda part: run(command + [part, *packages]))
    return os.path.join(folder, "node_modules")


def node_modules():
    """The types of Grafana, and the compiler that checks them."""
    return npm_folder("grafana-schema", "@grafana/schema@" + GRAFANA, "typescript@" + TYPESCRIPT)


def front_end():
    """Grafana's front-end code for data, and what it needs to run outside of a browser."""
    return npm_folder("grafana-data", "@grafana/data@" + GRAFANA, "react@18", "react-dom@18", "rxjs@7", "jsdom@24")


def docker_compose():
    """The program; building it takes a minute or two, the first time."""
    if not shutil.which("go"):
        raise unittest.SkipTest("no Go: Docker Compose cannot be built")
    module = "github.com/docker/compose/v5/cmd@" + COMPOSE

    def make(part):
        run(["go", "install", module], env={**os.environ, "GOBIN": part, "GOTOOLCHAIN": "local"})
        os.rename(os.path.join(part, "cmd"), os.path.join(part, "docker-compose"))

    return os.path.join(fetch("docker-compose-" + COMPOSE, make), "docker-compose")
