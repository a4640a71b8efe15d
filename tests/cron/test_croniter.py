"""Random schedules in UTC against croniter, an independent implementation.

The version in Debian (1.3.5) has the seconds field last. What it means differs from ours in some corners; the
expressions are made so that they stay out of them, and none is left out afterwards:
  - a day or weekday field that comes to all values counts as "*" there, here it is OR-ed with the other: each field
    lacks at least one value;
  - with both day fields given, one whose date never comes is an error there: one of the days is at most 28;
  - "n/step" in the weekday field reaches 7 (Sunday) there; with six fields 7 is not Sunday there;
  - a list with "*" among others is not tried.
"""

import random
import sys
import unittest

from asking import ask

sys.path.append("/usr/lib/python3/dist-packages")  # for a python3 that is not Debian's
try:
    import croniter
except ImportError:
    croniter = None

SEED = 20220530
EXPRESSIONS = 10000
FIRST, LAST = -2208988800, 4102444800  # 1900 to 2100
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT SUN".split()


def spelled(dice, names, value):
    """A number, or sometimes its name in some case."""
    if names and dice.random() < 0.3:
        name = names[value - (1 if names is MONTHS else 0)]
        return dice.choice([name, name.lower(), name.title()])
    return str(value)


def part(dice, low, high, names, open_step):
    """One of: value, range, range/step, */step, value/step."""
    kind = dice.choice(["value"] * 3 + ["range", "range step", "star step"] + ["open step"] * open_step)
    if kind == "star step":
        return "*/%d" % dice.randint(2, max(2, (high - low) // 2))
    first, last = sorted((dice.randint(low, high), dice.randint(low, high)))
    if kind == "value":
        return spelled(dice, names, first)
    if kind == "open step":
        return "%d/%d" % (first, dice.randint(2, 9))
    text = "%s-%s" % (spelled(dice, names, first), spelled(dice, names, last))
    return text + ("/%d" % dice.randint(1, 9) if kind == "range step" else "")


def field(dice, low, high, names=None, open_step=True):
    return ",".join(part(dice, low, high, names, open_step) for _ in range(dice.choice([1, 1, 1, 2, 3])))


def star_or(dice, chance, make):
    return "*" if dice.random() < chance else make()


def days(dice):
    """31 is never among them, and one of them is in every month."""
    return ",".join([str(dice.randint(1, 28))] + [part(dice, 1, 30, None, False).replace("*/", "1-30/")
                                                  for _ in range(dice.randint(0, 2))])


def weekdays(dice, n_fields):
    """A day of the week is missing: Saturday, or Monday when 7 is written for Sunday."""
    if n_fields == 5 and dice.random() < 0.3:
        return dice.choice(["7", "5-7", "FRI-SUN", "7,3", "2-4,7"])
    return ",".join(part(dice, 0, 5, WEEKDAYS, False).replace("*/", "0-5/") for _ in range(dice.randint(1, 2)))


def expression(dice):
    """The fields minute, hour, day, month, weekday and perhaps second."""
    n_fields = dice.choice([5, 5, 6])
    fields = [
        star_or(dice, 0.2, lambda: field(dice, 0, 59)),
        star_or(dice, 0.3, lambda: field(dice, 0, 23)),
        star_or(dice, 0.4, lambda: days(dice)),
        star_or(dice, 0.4, lambda: field(dice, 1, 12, MONTHS)),
        star_or(dice, 0.4, lambda: weekdays(dice, n_fields)),
    ]
    if fields[4] == "*" and dice.random() < 0.2:
        fields[2] = dice.choice(["29", "30", "31", "29-31", "31/2"])
    return fields + ([star_or(dice, 0.2, lambda: field(dice, 0, 59))] if n_fields == 6 else [])


def ours(fields):
    return " ".join(fields[5:] + fields[:5])


def theirs(fields, at):
    try:
        return str(int(croniter.croniter(" ".join(fields), at).get_next(float)))
    except croniter.CroniterBadDateError:
        return "never"


@unittest.skipUnless(croniter, "python3-croniter is not installed")
class AgainstCroniter(unittest.TestCase):
    def test_random_expressions(self):
        dice = random.Random(SEED)
        cases = [(expression(dice), dice.randint(FIRST, LAST)) for _ in range(EXPRESSIONS)]
        answers = ask(["%s\tUTC\t%d" % (ours(fields), at) for fields, at in cases])
        never = 0
        for (fields, at), answer in zip(cases, answers):
            never += answer == "never"
            self.assertEqual(answer, theirs(fields, at), "%s after %d" % (ours(fields), at))
        self.assertLess(never, EXPRESSIONS // 20)  # most say something

    def test_names(self):
        dice = random.Random(SEED)
        names = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"]
        cases = [(name, dice.randint(FIRST, LAST)) for name in names for _ in range(20)]
        answers = ask(["%s\tUTC\t%d" % case for case in cases])
        self.assertEqual(answers, [theirs([name], at) for name, at in cases])


if __name__ == "__main__":
    unittest.main()
