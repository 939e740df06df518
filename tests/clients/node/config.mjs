// Continue's own schema for its settings: reads YAML from standard input.

import { readFileSync } from "node:fs";
import { configYamlSchema } from "@continuedev/config-yaml";
import YAML from "yaml";

const text = readFileSync(0, "utf8");
process.stdout.write(JSON.stringify(configYamlSchema.safeParse(YAML.parse(text))));
