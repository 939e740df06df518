// Continue's own schemas for what it tells about itself, as its extension applies them before it
// sends an event: `parse` reads a list of events from standard input and prints what would be sent.

import { readFileSync } from "node:fs";
import { devDataVersionedSchemas } from "@continuedev/config-yaml";
import { run } from "./steps.mjs";

await run({
  async *names() {
    for (const [schema, levels] of Object.entries(devDataVersionedSchemas)) {
      for (const [level, events] of Object.entries(levels)) {
        yield { schema, level, names: Object.keys(events) };
      }
    }
  },

  async *parse() {
    for (const { name, schema, level, data } of JSON.parse(readFileSync(0, "utf8"))) {
      const { shape } = devDataVersionedSchemas[schema][level][name];
      const told = { ...data };
      // What the extension adds where the schema has it.
      if ("eventName" in shape) told.eventName = name;
      if ("schema" in shape) told.schema = schema;
      if (!told.timestamp && "timestamp" in shape) told.timestamp = new Date().toISOString();
      const parsed = devDataVersionedSchemas[schema][level][name].parse(told);
      yield { name, data: parsed, schema, level, profileId: "local" };
    }
  },
});
