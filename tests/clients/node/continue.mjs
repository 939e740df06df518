// Continue's adapter for servers that speak OpenAI's protocol, as its extension uses it.

import { constructLlmApi } from "@continuedev/openai-adapters";
import { run } from "./steps.mjs";

const messages = [{ role: "user", content: "hi" }];
const never = () => new AbortController().signal;

function adapter({ provider = "openai", baseURL, apiKey, headers }) {
  const requestOptions = headers ? { headers } : undefined;
  return constructLlmApi({ provider, apiBase: baseURL + "/", apiKey, requestOptions });
}

// What the legacy path of autocompletion sends: many stops, and no word about usage.
const stops = ["/src/", "#- coding: utf-8", "```", "<|endoftext|>", "\n\n", "\r\n\r\n"];
const middle = { prompt: "def f(", suffix: "):\n", max_tokens: 64, temperature: 0.01, stop: stops };

await run({
  async *chat(options) {
    const body = { model: options.model, messages, stream: false };
    const answer = await adapter(options).chatCompletionNonStream(body, never());
    yield answer.choices[0].message;
    yield answer.usage;
  },

  async *chatStream(options) {
    const body = { model: options.model, messages, stream: true };
    for await (const chunk of adapter(options).chatCompletionStream(body, never())) {
      yield chunk.choices.length ? chunk.choices[0].delta : chunk.usage;
    }
  },

  async *abort(options) {
    const leaving = new AbortController();
    const body = { model: options.model, messages, stream: true };
    for await (const chunk of adapter(options).chatCompletionStream(body, leaving.signal)) {
      yield chunk.choices[0].delta;
      if (chunk.choices[0].delta.content) leaving.abort();
    }
    yield "left";
  },

  async *complete(options) {
    const { prompt, max_tokens, temperature, stop } = middle;
    const body = { model: options.model, prompt, max_tokens, temperature, stop, stream: true };
    for await (const chunk of adapter(options).completionStream(body, never())) {
      yield chunk.choices[0].text;
    }
  },

  async *fim(options) {
    const body = { model: options.model, ...middle };
    for await (const chunk of adapter(options).fimStream(body, never())) {
      yield chunk.choices[0].delta;
    }
  },

  async *abortFim(options) {
    const leaving = new AbortController();
    const body = { model: options.model, ...middle };
    for await (const chunk of adapter(options).fimStream(body, leaving.signal)) {
      yield chunk.choices[0].delta;
      if (chunk.choices[0].delta.content) leaving.abort();
    }
    yield "left";
  },

  async *embed(options) {
    const answer = await adapter(options).embed({ model: options.model, input: ["a", "b"] });
    for (const one of answer.data) yield one.embedding;
  },

  async *rerank(options) {
    const body = { model: options.model, query: "which", documents: ["a", "b", "c"] };
    const answer = await adapter(options).rerank(body);
    for (const one of answer.data) yield { index: one.index, score: one.relevance_score };
  },

  async *list(options) {
    for (const model of await adapter(options).list()) yield model.id;
  },
});
