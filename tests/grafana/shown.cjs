// What Grafana makes of a panel's frames, by its own code (@grafana/data): transformations, names, units, colours.
// Reads {"panel": .., "frames": [{"name": .., "times": [..], "values": [..]} or {"columns": {name: [..]}}]} and writes
// the values that a panel of single values shows, and the fields that others show. It runs in jsdom, not in a browser.
"use strict";
const fs = require("fs");
const { JSDOM } = require("jsdom");

const window = new JSDOM("<html><head></head><body></body></html>", { url: "http://localhost/" }).window;
for (const name of ["document", "localStorage", "navigator", "HTMLElement", "Element", "Node", "DOMParser"]) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
}
globalThis.window = window;
const data = require("@grafana/data");
const { firstValueFrom } = require("rxjs");

const SETTINGS = ["color", "unit", "min", "max", "decimals", "displayName", "noValue", "thresholds", "mappings"];

function setUp() {
  const transformers = new Map(Object.values(data.standardTransformers).map((one) => [one.id, one]));
  data.standardTransformersRegistry.setInit(() =>
    [...transformers.values()].map((one) => ({ id: one.id, name: one.name, transformation: one })),
  );
  data.standardFieldConfigEditorRegistry.setInit(() =>
    SETTINGS.map((id) => ({ id, path: id, name: id, process: (value) => value, shouldApply: () => true })),
  );
}

function frameOf(one) {
  if (one.columns) {
    const fields = Object.entries(one.columns).map(([name, values]) => ({ name, values }));
    return data.toDataFrame({ fields });
  }
  const time = { name: "Time", type: "time", values: one.times };
  return data.toDataFrame({ fields: [time, { name: one.name, type: "number", values: one.values, labels: {} }] });
}

function textOf(value) {
  return (value.prefix ?? "") + value.text + (value.suffix ?? "");
}

async function main() {
  setUp();
  const { panel, frames } = JSON.parse(fs.readFileSync(0, "utf8"));
  const shared = {
    fieldConfig: panel.fieldConfig,
    replaceVariables: (text) => text,
    theme: data.createTheme(),
    fieldConfigRegistry: data.standardFieldConfigEditorRegistry,
  };
  const changed = await firstValueFrom(data.transformDataFrame(panel.transformations ?? [], frames.map(frameOf)));
  const shown = data.applyFieldOverrides({ ...shared, data: changed });
  const answer = { fields: [], values: [] };
  for (const frame of shown) {
    for (const field of frame.fields) {
      const first = field.display(field.values[0]);
      answer.fields.push({ name: data.getFieldDisplayName(field, frame, shown), first: textOf(first), color: first.color });
    }
  }
  if (panel.options.reduceOptions) {
    const values = data.getFieldDisplayValues({ ...shared, reduceOptions: panel.options.reduceOptions, data: shown });
    answer.values = values.map(({ display }) => ({ name: display.title, text: textOf(display), color: display.color }));
  }
  process.stdout.write(JSON.stringify(answer));
}

main();
