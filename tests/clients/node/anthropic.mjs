// Anthropic's own package.

import Anthropic from "@anthropic-ai/sdk";
import { run } from "./steps.mjs";

const messages = [{ role: "user", content: "hi" }];

function client({ baseURL, apiKey }) {
  // It adds /v1 itself.
  return new Anthropic({ baseURL: baseURL.replace(/\/v1$/, ""), apiKey, maxRetries: 0 });
}

const body = ({ model }) => ({ model, messages, max_tokens: 64 });

await run({
  async *message(options) {
    const { data, response } = await client(options).messages.create(body(options)).withResponse();
    yield { id: data.id, requestId: response.headers.get("x-request-id"), model: data.model };
    yield data.content;
    yield data.usage;
  },

  async *stream(options) {
    const stream = client(options).messages.stream(body(options));
    yield (await stream.finalMessage()).model;
    yield await stream.finalText();
    yield (await stream.finalMessage()).usage;
  },

  async *events(options) {
    const stream = await client(options).messages.create({ ...body(options), stream: true });
    for await (const event of stream) yield event.type;
  },

  async *abort(options) {
    const stream = await client(options).messages.create(
      { ...body(options), stream: true },
      { headers: { "X-PilotDash-Session": "abort" } },
    );
    for await (const event of stream) {
      if (event.type === "content_block_start") stream.controller.abort();
    }
    yield "left";
  },

  async *count(options) {
    const { model } = options;
    yield await client(options).messages.countTokens({ model, messages });
  },
});
