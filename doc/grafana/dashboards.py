#!/usr/bin/env python3
"""Writes the dashboards and alert rules that Grafana reads, as JSON, from the Python beside this file.

    dashboards.py            writes dashboards/*.json and provisioning/alerting/loggateway.json
    dashboards.py --check    says which of these files are not what it would write, and ends with 1 if one is

To change a dashboard: change it here, or in Grafana until you like it and then here, run this, commit both.
"""

import json
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import activity  # noqa: E402
import audit  # noqa: E402
import gateway  # noqa: E402


def files():
    """{path: what is to be in it}"""
    found = {}
    for board in (audit.board(), activity.board(), gateway.board()):
        found["dashboards/%s.json" % board["uid"]] = board
    found["provisioning/alerting/loggateway.json"] = gateway.alerts()
    return found


def text_of(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def main(arguments):
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = [(name, text_of(value)) for name, value in files().items() if read(os.path.join(HERE, name)) != text_of(value)]
    for name, text in stale:
        print("%s: %s" % (name, "is not what dashboards.py writes" if arguments else "written"))
        if not arguments:
            path = os.path.join(HERE, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
    return 1 if stale and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
