"""Time zones against Python's zoneinfo, and schedules in them against the rules, minute by minute."""

import datetime
import random
import unittest
import zoneinfo

from asking import ask

SEED = 20220530
# Both halves of the earth, halves and quarters of hours, zones that changed their minds, no daylight time, rules of
# each kind.
ZONES = """
Africa/Cairo Africa/Casablanca Africa/El_Aaiun Africa/Johannesburg Africa/Lagos America/Anchorage America/Asuncion
America/Caracas America/Chicago America/Godthab America/Havana America/Los_Angeles America/New_York America/Santiago
America/Sao_Paulo America/St_Johns Antarctica/Troll Asia/Amman Asia/Gaza Asia/Jerusalem Asia/Kathmandu Asia/Kolkata
Asia/Pyongyang Asia/Shanghai Asia/Tehran Asia/Tokyo Atlantic/Azores Australia/Adelaide Australia/Lord_Howe
Australia/Sydney Etc/GMT+12 Europe/Berlin Europe/Dublin Europe/Istanbul Europe/Moscow Pacific/Apia Pacific/Auckland
Pacific/Chatham Pacific/Kiritimati Pacific/Kwajalein
""".split()
INSTANTS = 2500
FIRST, LAST = -3786825600, 6311433600  # 1850 to 2170
EPOCH = datetime.datetime(1970, 1, 1)
UTC = datetime.timezone.utc


def offset(zone, at):
    moment = (EPOCH + datetime.timedelta(seconds=at)).replace(tzinfo=UTC)
    return round(moment.astimezone(zone).utcoffset().total_seconds())


class Offsets(unittest.TestCase):
    def test_random_instants(self):
        self.assertEqual(len(set(ZONES)), 40)
        dice = random.Random(SEED)
        cases = [(name, dice.randint(FIRST, LAST)) for name in ZONES for _ in range(INSTANTS)]
        answers = ask(["%s\t%d" % case for case in cases], "--offsets")
        for (name, at), answer in zip(cases, answers):
            self.assertEqual(int(answer), offset(zoneinfo.ZoneInfo(name), at), "%s at %d" % (name, at))


def changes(zone, first, last):
    """The instants between two at which the offset changes, to the second."""
    found = []
    step = 6 * 3600
    for at in range(first, last, step):
        low, high = at, at + step
        if offset(zone, low) == offset(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(zone, middle) == offset(zone, low) else (low, middle)
        found.append(high)
    return found


def is_due(fields, local):
    """Fields are sets of minutes, hours, days, or None for "*"."""
    moment = EPOCH + datetime.timedelta(seconds=local)
    values = (moment.minute, moment.hour, moment.day)
    return all(field is None or value in field for field, value in zip(fields, values))


def expected(fields, zone, after, end):
    """The first run after an instant: what the wall clock shows is followed from minute to minute."""
    latest = after - 2 * 86400 + offset(zone, after - 2 * 86400)
    for at in range(after - 2 * 86400 + 60, end, 60):
        shown = at + offset(zone, at)
        if fields[1] is None:
            due = is_due(fields, shown)
        else:
            due = any(is_due(fields, local) for local in range(latest + 60, shown + 60, 60))
            latest = max(latest, shown)
        if due and at > after:
            return str(at)
    return None


def text(fields):
    return " ".join("*" if field is None else ",".join(map(str, sorted(field))) for field in fields) + " * *"


class Schedules(unittest.TestCase):
    def schedule(self, dice, around):
        """Minutes, hours near the change (or any), and sometimes its day."""
        hours = None if dice.random() < 0.4 else {(around.hour + dice.randint(-2, 2)) % 24 for _ in range(3)}
        day = {around.day} if dice.random() < 0.2 else None
        return {dice.randint(0, 59) for _ in range(2)}, hours, day

    def cases(self):
        dice = random.Random(SEED)
        for name in ZONES:
            zone = zoneinfo.ZoneInfo(name)
            # from 1972 on: before, some offsets were not whole minutes
            start = dice.randint(0, 40) * 31557600 + 63072000
            for change in changes(zone, start, start + 12 * 31557600)[:6]:
                self.assertEqual(change % 60, 0)
                around = EPOCH + datetime.timedelta(seconds=change + offset(zone, change))
                for _ in range(3):
                    after = change + dice.randint(-1500, 200) * 60
                    yield self.schedule(dice, around), name, after

    def test_around_changes(self):
        cases = list(self.cases())
        self.assertGreater(len(cases), 300)
        answers = ask(["%s\t%s\t%d" % (text(fields), name, after) for fields, name, after in cases])
        for (fields, name, after), answer in zip(cases, answers):
            end = after + 2 * 86400
            wanted = expected(fields, zoneinfo.ZoneInfo(name), after, end)
            case = "%s %s after %d" % (text(fields), name, after)
            if wanted is None:
                self.assertTrue(answer == "never" or int(answer) >= end, case)
            else:
                self.assertEqual(answer, wanted, case)


if __name__ == "__main__":
    unittest.main()
