// OpenAI's own package.

import OpenAI from "openai";
import { run } from "./steps.mjs";

const messages = [{ role: "user", content: "hi" }];
const tool = { type: "function", function: { name: "look", parameters: { type: "object" } } };

function client({ baseURL, apiKey, maxRetries = 0, timeout }) {
  return new OpenAI({ baseURL, apiKey, maxRetries, timeout });
}

await run({
  async *chat(options) {
    const { data, response } = await client(options)
      .chat.completions.create({ model: options.model, messages, tools: [tool] })
      .withResponse();
    yield { id: data.id, requestId: response.headers.get("x-request-id"), model: data.model };
    yield data.choices[0].message;
    yield data.usage;
  },

  async *chatStream(options) {
    const stream = await client(options).chat.completions.create({
      model: options.model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      yield chunk.choices.length ? chunk.choices[0].delta : chunk.usage;
    }
  },

  async *helper(options) {
    const stream = client(options).chat.completions.stream({ model: options.model, messages });
    yield await stream.finalContent();
    yield (await stream.finalMessage()).tool_calls;
  },

  async *abort(options) {
    const stream = await client(options).chat.completions.create(
      { model: options.model, messages, stream: true },
      { headers: { "X-PilotDash-Session": "abort" } },
    );
    for await (const chunk of stream) {
      yield chunk.choices[0].delta;
      if (chunk.choices[0].delta.content) stream.controller.abort();
    }
    yield "left";
  },

  async *completionStream(options) {
    const stream = await client(options).completions.create({
      model: options.model,
      prompt: "def f(",
      stream: true,
    });
    for await (const chunk of stream) yield chunk.choices[0].text;
  },

  async *embed(options) {
    const found = await client(options).embeddings.create({ model: options.model, input: ["a", "b"] });
    for (const one of found.data) yield one.embedding;
  },

  async *models(options) {
    for await (const model of client(options).models.list()) yield model.id;
    yield await client(options).models.retrieve(options.model);
  },

  async *respond(options) {
    const answer = await client(options).responses.create({ model: options.model, input: "hi" });
    yield { model: answer.model, text: answer.output_text, usage: answer.usage };
  },

  async *respondStream(options) {
    const stream = await client(options).responses.create({
      model: options.model,
      input: "hi",
      stream: true,
    });
    let text = "";
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.completed") {
        yield { model: event.response.model, text, usage: event.response.usage };
      }
    }
  },

  async *wait(options) {
    const begun = Date.now();
    const { data } = await client(options)
      .chat.completions.create(
        { model: options.model, messages },
        { headers: { "X-PilotDash-Session": options.session } },
      )
      .withResponse();
    yield { model: data.model, waited: Date.now() - begun };
  },
});
