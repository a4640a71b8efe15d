// The types that a provisioned dashboard must have, from Grafana's own package. In JSON an enum is its value, so each
// is replaced by that; and what Grafana leaves open (options, field settings) is closed for the panels used here.
import type * as schema from "@grafana/schema";
import type * as bargauge from "@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen";
import type * as piechart from "@grafana/schema/dist/types/raw/composable/piechart/panelcfg/x/types.gen";
import type * as stat from "@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen";
import type * as table from "@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen";
import type * as timeseries from "@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen";

// A string enum is the union of its values; a number is kept, since numeric enums take their own numbers only.
type Json<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends Array<infer Item>
      ? Array<Json<Item>>
      : T extends object
        ? { [Key in keyof T]: Json<T[Key]> }
        : T;

type Source = Required<Pick<schema.DataSourceRef, "type" | "uid">>;

interface FluxQuery {
  refId: schema.DataQuery["refId"];
  datasource: Source;
  query: string;
}

type Defaults<Custom> = Omit<schema.FieldConfig, "custom"> & { custom?: Custom };

type PanelOf<Type extends string, Options, Custom> = Omit<
  schema.Panel,
  "type" | "options" | "fieldConfig" | "targets" | "datasource" | "title" | "id" | "gridPos" | "description"
> & {
  type: Type;
  id: number;
  title: string;
  description: string;
  gridPos: schema.GridPos;
  datasource: Source;
  targets: FluxQuery[];
  options: Options;
  fieldConfig: { defaults: Defaults<Custom>; overrides: NonNullable<schema.Panel["fieldConfig"]>["overrides"] };
};

type AnyPanel =
  | PanelOf<"timeseries", timeseries.Options, timeseries.FieldConfig>
  | PanelOf<"piechart", piechart.Options, piechart.FieldConfig>
  | PanelOf<"bargauge", bargauge.Options, never>
  | PanelOf<"stat", stat.Options, never>
  | PanelOf<"table", table.Options, table.FieldConfig>;

export type Dashboard = Json<
  Omit<schema.Dashboard, "panels" | "uid" | "title"> & { uid: string; title: string; panels: AnyPanel[] }
>;
