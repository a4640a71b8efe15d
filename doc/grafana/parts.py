"""The building blocks of the dashboards: panels, variables, colours. Used by the files beside it; writes nothing.

Two things about Grafana's InfluxDB data source shape the queries. A result with the columns `_time` and `_value` is
a series, named by its `_field`: so the queries end with the group's name in `_field`, and legends need no patterns.
And `v.` macros are replaced as text wherever `word.bucket` or `word.organization` stands, also in `r.bucket`: so
columns are written r["bucket"].
"""

import textwrap

SOURCE = {"type": "influxdb", "uid": "loggateway"}
SCHEMA_VERSION = 42

# A colour means the same on every dashboard.
GOOD, BAD, LOST, AGAIN, MEASURE, NEUTRAL = "green", "red", "orange", "blue", "purple", "text"
OUTCOME_COLOURS = {"ok": GOOD, "stored": GOOD, "duplicate": AGAIN, "expired": LOST, "dead": BAD, "failed": BAD}

# Windows of aggregateWindow: whole days, each at its beginning (the default is its end, the next day).
DAY = 'every: 1d, createEmpty: false, timeSrc: "_start"'
PERIOD = 'every: v.windowPeriod, createEmpty: false, timeSrc: "_start"'

SERIES = """
  |> map(fn: (r) => ({_time: r._time, _field: r["<by>"], _value: <value>}))
  |> group(columns: ["_field"])
""".strip()


def flux(text, **parts):
    """A query from indented text; <name> stands for a part."""
    query = textwrap.dedent(text).strip()
    for name, part in parts.items():
        query = query.replace("<%s>" % name, part)
    return query


def series(by, value="r._value"):
    """The end of a query: one series for each value of a column."""
    return flux(SERIES, by=by, value=value)


# --- variables ----------------------------------------------------------------------------------------------------


def tag_variable(name, label, query):
    """Any number of a tag's values; All stands for every value, the absent one too."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "query": {"query": query, "refId": "variable-" + name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "options": [],
    }


def choice_variable(name, label, choices, description):
    """One of some values; choices: (text, value), the first is the default. Neither has a comma or a colon."""
    return {
        "type": "custom",
        "name": name,
        "label": label,
        "description": description,
        "query": ", ".join("%s : %s" % choice for choice in choices),
        "multi": False,
        "includeAll": False,
        "current": {"text": choices[0][0], "value": choices[0][1]},
        "options": [
            {"text": text, "value": value, "selected": number == 0} for number, (text, value) in enumerate(choices)
        ],
    }


def tag_values(measurement, tag):
    """The values of a tag in the time range, for a variable."""
    return flux(
        """
        import "influxdata/influxdb/schema"

        schema.tagValues(
            bucket: v.defaultBucket,
            tag: "<tag>",
            predicate: (r) => r["_measurement"] == "<measurement>",
            start: v.timeRangeStart,
            stop: v.timeRangeStop,
        )
        """,
        measurement=measurement,
        tag=tag,
    )


# --- panels -------------------------------------------------------------------------------------------------------


def panel(kind, title, description, query, options, defaults, overrides=(), transformations=()):
    one = {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "targets": [{"refId": "A", "datasource": SOURCE, "query": query}],
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
    }
    if transformations:
        one["transformations"] = list(transformations)
    return one


def legend(*calculations):
    return {
        "showLegend": True,
        "displayMode": "table" if calculations else "list",
        "placement": "bottom",
        "calcs": list(calculations),
    }


def tooltip():
    return {"mode": "multi", "sort": "desc"}


def by_name(colours):
    """Overrides that give a series of a name its colour."""
    return [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in colours.items()
    ]


def named_colours():
    """The colour follows from the series' name, so a bucket looks the same in every panel."""
    return {"mode": "palette-classic-by-name"}


def lines(title, description, query, unit, interval=None):
    custom = {"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "always", "pointSize": 5}
    defaults = {"unit": unit, "min": 0, "color": named_colours(), "custom": custom}
    options = {"legend": legend("mean", "max"), "tooltip": tooltip()}
    return with_interval(panel("timeseries", title, description, query, options, defaults), interval)


def bars(title, description, query, colours=None, stacked=False, interval=None, unit="short"):
    custom = {"drawStyle": "bars", "fillOpacity": 100, "lineWidth": 1, "barAlignment": 1, "showPoints": "never"}
    custom["stacking"] = {"mode": "normal" if stacked else "none", "group": "A"}
    defaults = {"unit": unit, "min": 0, "decimals": 0, "color": named_colours(), "custom": custom}
    options = {"legend": legend("sum"), "tooltip": tooltip()}
    one = panel("timeseries", title, description, query, options, defaults, by_name(colours or {}))
    return with_interval(one, interval)


def with_interval(one, interval):
    """The shortest v.windowPeriod of a panel, when its query has one."""
    if interval:
        one["interval"] = interval
    return one


def pie(title, description, query):
    options = {
        "pieType": "pie",
        "displayLabels": ["percent"],
        "sort": "desc",
        "orientation": "auto",
        "reduceOptions": {"values": False, "calcs": ["sum"], "fields": ""},
        "legend": {
            "showLegend": True,
            "displayMode": "table",
            "placement": "right",
            "calcs": [],
            "values": ["value", "percent"],
        },
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("piechart", title, description, query, options, {"unit": "short", "color": named_colours()})


def ranking(title, description, query, unit):
    """Horizontal bars, the series with the greatest maximum first."""
    options = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "valueMode": "color",
        "namePlacement": "auto",
        "showUnfilled": True,
        "sizing": "auto",
        "minVizWidth": 8,
        "minVizHeight": 16,
        "maxVizHeight": 300,
        "reduceOptions": {"values": True, "calcs": [], "fields": ""},
        "legend": {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []},
    }
    steps = [
        {"id": "reduce", "options": {"mode": "seriesToRows", "reducers": ["max"], "includeTimeField": False}},
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "Max", "desc": True}]}},
    ]
    defaults = {"unit": unit, "min": 0, "color": {"mode": "fixed", "fixedColor": MEASURE}}
    return panel("bargauge", title, description, query, options, defaults, transformations=steps)


def stat(title, description, query, unit, steps=None, colours=None, words=None):
    """One number for each series. steps: (value, colour), rising, the first value None. words: {number: (text,
    colour)}, shown in place of the number."""
    options = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "textMode": "auto",
        "wideLayout": True,
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "showPercentChange": False,
        "reduceOptions": {"values": False, "calcs": ["lastNotNull"], "fields": ""},
    }
    defaults = {"unit": unit, "color": {"mode": "thresholds"}, "noValue": "none"}
    steps = [{"value": value, "color": colour} for value, colour in steps or [(None, NEUTRAL)]]
    defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    if words:
        shown = {str(number): {"text": text, "color": colour} for number, (text, colour) in words.items()}
        defaults["mappings"] = [{"type": "value", "options": shown}]
    return panel("stat", title, description, query, options, defaults, by_name(colours or {}))


def table(title, description, query, columns, units=None, widths=None):
    """columns: {column of the result: heading}, in order; a column that the result lacks is left out."""
    options = {"showHeader": True, "frameIndex": 0, "cellHeight": "sm"}
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": True, "filterable": True}
    order = {"indexByName": {name: number for number, name in enumerate(columns)}, "renameByName": columns}
    overrides = []
    for heading, unit in (units or {}).items():
        overrides.append(
            {"matcher": {"id": "byName", "options": heading}, "properties": [{"id": "unit", "value": unit}]}
        )
    for heading, width in (widths or {}).items():
        overrides.append(
            {"matcher": {"id": "byName", "options": heading}, "properties": [{"id": "custom.width", "value": width}]}
        )
    steps = [{"id": "organize", "options": {"excludeByName": {}, **order}}]
    return panel("table", title, description, query, options, {"custom": custom}, overrides, steps)


# --- dashboards ---------------------------------------------------------------------------------------------------


def placed(rows):
    """Rows of (panel, width, height) from the top down, each panel with its place and number."""
    panels, top = [], 0
    for row in rows:
        left = 0
        for one, width, height in row:
            panels.append({"id": len(panels) + 1, **one, "gridPos": {"x": left, "y": top, "w": width, "h": height}})
            left += width
        top += max(height for _, _, height in row)
    return panels


def dashboard(uid, title, description, variables, rows, since):
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["loggateway"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "timezone": "utc",
        "time": {"from": since, "to": "now"},
        "refresh": "5m",
        "graphTooltip": 1,
        "links": [
            {
                "type": "dashboards",
                "title": "Lyve Cloud",
                "tags": ["loggateway"],
                "asDropdown": False,
                "includeVars": False,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "",
            }
        ],
        "annotations": {"list": []},
        "templating": {"list": variables},
        "panels": placed(rows),
    }
