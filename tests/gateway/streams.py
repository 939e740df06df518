"""Streams as servers send them, with what the developer must receive and what must be counted.

In the texts below «id» and «model» stand for the provider's names in what is sent and for ours in
what is relayed; what stands between [[ and ]] is sent and not relayed.
"""

import re
from dataclasses import dataclass

from apps.gateway.usage_tap import Usage

ALIAS = "pilot-chat"
OUR_ID = "0192f0c1a2b37c4d8e5f60718293a4b5"
THEIR_MODEL = "secret/Model-70B"
SAID = "Grüße 东京 🎉"


@dataclass(frozen=True)
class Stream:
    """`text` has the marks; `asked` tells whether the developer asked for usage."""

    text: str
    usage: Usage | None
    finish: str
    content: int
    endpoint: str = "chat/completions"
    tools: int = 0
    failure: tuple[str, str] | None = None
    their_id: str = "gen-1717-theirs"
    asked: bool = False

    @property
    def sent(self) -> bytes:
        text = self.text.replace("[[", "").replace("]]", "")
        return text.replace("«id»", self.their_id).replace("«model»", THEIR_MODEL).encode()

    @property
    def relayed(self) -> bytes:
        prefix = {"completions": "cmpl-"}.get(self.endpoint, "chatcmpl-")
        text = re.sub(r"\[\[.*?\]\]", "", self.text, flags=re.DOTALL)
        return text.replace("«id»", prefix + OUR_ID).replace("«model»", ALIAS).encode()


def size(*texts: str) -> int:
    return sum(len(text.encode()) for text in texts)


HEAD = '"id":"«id»","object":"chat.completion.chunk","created":1717171717,"model":"«model»"'
OPENAI = (
    'data: {HEAD,"service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":[{"index"'
    ':0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":'
    'null}],"usage":null,"obfuscation":"a1"}\n\n'
    'data: {HEAD,"choices":[{"index":0,"delta":{"content":"Grüße 东京 🎉"},"logprobs":null,'
    '"finish_reason":null}],"usage":null,"obfuscation":"b"}\n\n'
    'data: {HEAD,"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],'
    '"usage":null}\n\n'
    '[[data: {HEAD,"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":'
    '29,"prompt_tokens_details":{"cached_tokens":8,"audio_tokens":0},"completion_tokens_details":'
    '{"reasoning_tokens":0}}}\n\n]]'
    "data: [DONE]\n\n"
).replace("HEAD", HEAD)
TOOLS = (
    'data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{'
    '"index":0,"id":"call_aB3","type":"function","function":{"name":"look","arguments":""}}]},'
    '"finish_reason":null}]}\n\n'
    'data: {HEAD,"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":'
    '"{\\"id\\":\\"x\\"}"}}]},"finish_reason":null}]}\n\n'
    'data: {HEAD,"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_c","type":'
    '"function","function":{"name":"go","arguments":"{}"}}]},"finish_reason":null}]}\n\n'
    'data: {HEAD,"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\n'
    "data: [DONE]\n\n"
).replace("HEAD", HEAD)
VLLM = (
    'data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,'
    '"finish_reason":null}],"usage":{"prompt_tokens":11,"total_tokens":11,"completion_tokens":0}}'
    "\n\n"
    'data: {HEAD,"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"logprobs":null,'
    '"finish_reason":null}],"usage":{"prompt_tokens":11,"total_tokens":12,"completion_tokens":1}}'
    "\n\n"
    'data: {HEAD,"choices":[{"index":0,"delta":{"content":"Grüße 东京 🎉"},"logprobs":null,'
    '"finish_reason":"length","stop_reason":null}],"usage":{"prompt_tokens":11,"total_tokens":18,'
    '"completion_tokens":7}}\n\n'
    '[[data: {HEAD,"choices":[],"usage":{"prompt_tokens":11,"total_tokens":18,"completion_tokens":7'
    ',"prompt_tokens_details":null}}\n\n]]'
    "data: [DONE]\n\n"
).replace("HEAD", HEAD)
TGI = (
    'data:{"object":"text_completion","id":"«id»","created":1717,"model":"«model»",'
    '"system_fingerprint":"3.3.6-native","choices":[{"index":0,"text":" Grüße","logprobs":null,'
    '"finish_reason":""}]}\n\n'
    'data:{"object":"text_completion","id":"«id»","created":1717,"model":"«model»",'
    '"system_fingerprint":"3.3.6-native","choices":[{"index":0,"text":" 东京","logprobs":null,'
    '"finish_reason":"eos_token"}],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens"'
    ":6}}\n\n"
    "data: [DONE]\n\n"
)
GROQ = (
    'data: {HEAD,"system_fingerprint":"fp_x","choices":[{"index":0,"delta":{"role":"assistant",'
    '"content":""},"logprobs":null,"finish_reason":null}],"x_groq":{"id":"req_01"}}\n\n'
    'data: {HEAD,"choices":[{"index":0,"delta":{"content":"Grüße 东京 🎉"},"finish_reason":null}]}'
    "\n\n"
    'data: {HEAD,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_01"'
    ',"usage":{"queue_time":0.01,"prompt_tokens":24,"completion_tokens":5,"total_tokens":29,'
    '"total_time":0.017}}}\n\n'
    "data: [DONE]\n\n"
).replace("HEAD", HEAD)
MISTRAL = (
    'data: {HEAD,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":'
    "null}]}\n\n"
    'data: {HEAD,"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":'
    '"text","text":"hm"}]}]},"finish_reason":null}]}\n\n'
    'data: {HEAD,"choices":[{"index":0,"delta":{"content":"Grüße 东京 🎉"},"finish_reason":"stop"}'
    '],"usage":{"prompt_tokens":7,"total_tokens":16,"completion_tokens":9}}\n\n'
    "data: [DONE]\n\n"
).replace("HEAD", HEAD)
OPENROUTER = (
    ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n"
    'data: {"id":"«id»","provider":"DeepInfra","model":"«model»","object":"chat.completion.chunk"'
    ',"created":1717,"choices":[{"index":0,"delta":{"role":"assistant","content":"Grüße 东京 🎉",'
    '"reasoning":null},"finish_reason":"stop","native_finish_reason":"eos"}]}\n\n'
    ": OPENROUTER PROCESSING\n\n"
    '[[data: {"id":"«id»","provider":"DeepInfra","model":"«model»","object":"chat.completion.chunk"'
    ',"created":1717,"choices":[],"usage":{"prompt_tokens":14,"completion_tokens":163,'
    '"total_tokens":177,"cost":0.00012,"prompt_tokens_details":{"cached_tokens":3}}}\n\n]]'
    "data: [DONE]\n\n"
)
NO_DONE = (
    'data: {HEAD,"choices":[{"index":0,"delta":{"content":"Grüße 东京 🎉"},"finish_reason":null}]}'
    '\n\ndata: {HEAD,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
).replace("HEAD", HEAD)
ERROR = (
    'data: {HEAD,"choices":[{"index":0,"delta":{"content":"Grüße"},"finish_reason":null}]}\n\n'
    'data: {HEAD,"error":{"message":"the GPU is gone","type":"server_error","code":502}}\n\n'
).replace("HEAD", HEAD)
MESSAGES = (
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_01Xtheirs","type":'
    '"message","role":"assistant","model":"«model»","content":[],"stop_reason":null,'
    '"stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":100,'
    '"cache_read_input_tokens":2000,"output_tokens":1,"service_tier":"standard"}}}\n\n'
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{'
    '"type":"thinking","thinking":"","signature":""}}\n\n'
    'event: ping\ndata: {"type": "ping"}\n\n'
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":'
    '"thinking_delta","thinking":"hm"}}\n\n'
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":'
    '"signature_delta","signature":"EqQBCg"}}\n\n'
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    'event: content_block_start\ndata: {"type":"content_block_start","index":1,"content_block":{'
    '"type":"text","text":""}}\n\n'
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":{"type":'
    '"text_delta","text":"Grüße 东京 🎉"}}\n\n'
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":1}\n\n'
    'event: content_block_start\ndata: {"type":"content_block_start","index":2,"content_block":{'
    '"type":"tool_use","id":"toolu_01T","name":"look","input":{}}}\n\n'
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":2,"delta":{"type":'
    '"input_json_delta","partial_json":"{\\"model\\":1}"}}\n\n'
    'event: content_block_stop\ndata: {"type":"content_block_stop","index":2}\n\n'
    'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"tool_use",'
    '"stop_sequence":null},"usage":{"output_tokens":15}}\n\n'
    'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)
RESPONSES = (
    'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id"'
    ':"resp_theirs","object":"response","created_at":1717,"status":"in_progress","model":"«model»"'
    ',"output":[],"usage":null,"metadata":{"model":"mine"}}}\n\n'
    'event: response.output_item.added\ndata: {"type":"response.output_item.added",'
    '"sequence_number":1,"output_index":0,"item":{"id":"msg_theirs","type":"message","status":'
    '"in_progress","content":[],"role":"assistant"}}\n\n'
    'event: response.content_part.added\ndata: {"type":"response.content_part.added",'
    '"sequence_number":2,"item_id":"msg_theirs","output_index":0,"content_index":0,"part":{"type":'
    '"output_text","annotations":[],"logprobs":[],"text":""}}\n\n'
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta",'
    '"sequence_number":3,"item_id":"msg_theirs","output_index":0,"content_index":0,"delta":'
    '"Grüße 东京 🎉","logprobs":[],"obfuscation":"x"}\n\n'
    'event: response.output_text.done\ndata: {"type":"response.output_text.done",'
    '"sequence_number":4,"item_id":"msg_theirs","output_index":0,"content_index":0,"text":'
    '"Grüße 东京 🎉","logprobs":[]}\n\n'
    'event: response.output_item.added\ndata: {"type":"response.output_item.added",'
    '"sequence_number":5,"output_index":1,"item":{"id":"fc_theirs","type":"function_call",'
    '"status":"in_progress","arguments":"","call_id":"call_x","name":"look"}}\n\n'
    'event: response.function_call_arguments.delta\ndata: {"type":'
    '"response.function_call_arguments.delta","sequence_number":6,"item_id":"fc_theirs",'
    '"output_index":1,"delta":"{}","obfuscation":"y"}\n\n'
    'event: response.completed\ndata: {"type":"response.completed","sequence_number":7,"response":{'
    '"id":"resp_theirs","object":"response","created_at":1717,"status":"completed","error":null,'
    '"model":"«model»","service_tier":"default","output":[{"id":"msg_theirs","type":"message",'
    '"status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],'
    '"logprobs":[],"text":"Grüße 东京 🎉"}]},{"id":"fc_theirs","type":"function_call","status":'
    '"completed","arguments":"{}","call_id":"call_x","name":"look"}],"usage":{"input_tokens":37,'
    '"input_tokens_details":{"cached_tokens":16},"output_tokens":11,"output_tokens_details":{'
    '"reasoning_tokens":0},"total_tokens":48}}}\n\n'
)
BIG = "x" * (1 << 20)

STREAMS = {
    "openai": Stream(OPENAI, Usage(19, 10, 8), "stop", size(SAID)),
    "openai, usage asked for": Stream(
        OPENAI.replace("[[", "").replace("]]", ""),
        Usage(19, 10, 8),
        "stop",
        size(SAID),
        asked=True,
    ),
    "tools": Stream(TOOLS, None, "tool_calls", size("look", '{"id":"x"}', "go", "{}"), tools=2),
    "vllm": Stream(VLLM, Usage(11, 7, None), "length", size("hm", SAID)),
    "tgi": Stream(
        TGI,
        Usage(4, 2, None),
        "eos_token",
        size(" Grüße", " 东京"),
        endpoint="completions",
        their_id="",
    ),
    "groq": Stream(GROQ, Usage(24, 5, None), "stop", size(SAID)),
    "mistral": Stream(MISTRAL, Usage(7, 9, None), "stop", size("hm", SAID)),
    "mistral fim": Stream(
        MISTRAL, Usage(7, 9, None), "stop", size("hm", SAID), endpoint="fim/completions"
    ),
    "openrouter": Stream(OPENROUTER, Usage(14, 163, 3), "stop", size(SAID)),
    "no done": Stream(NO_DONE, None, "stop", size(SAID)),
    "error": Stream(ERROR, None, "", size("Grüße"), failure=("upstream_error", "the GPU is gone")),
    "crlf": Stream(OPENAI.replace("\n", "\r\n"), Usage(19, 10, 8), "stop", size(SAID)),
    "cr": Stream(OPENAI.replace("\n", "\r"), Usage(19, 10, 8), "stop", size(SAID)),
    "no newline at the end": Stream(OPENAI[:-2], Usage(19, 10, 8), "stop", size(SAID)),
    "u+2028": Stream(
        OPENAI.replace(SAID, "a\u2028b\x85c\u2029"),
        Usage(19, 10, 8),
        "stop",
        size("a\u2028b\x85c\u2029"),
    ),
    "messages": Stream(
        MESSAGES,
        Usage(2112, 15, 2000),
        "tool_use",
        size("hm", SAID, "look", '{"model":1}'),
        endpoint="messages",
        tools=1,
    ),
    "messages, crlf": Stream(
        MESSAGES.replace("\n", "\r\n"),
        Usage(2112, 15, 2000),
        "tool_use",
        size("hm", SAID, "look", '{"model":1}'),
        endpoint="messages",
        tools=1,
    ),
    "messages, error": Stream(
        MESSAGES[: MESSAGES.index("event: message_delta")]
        + 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":'
        '"Overloaded"}}\n\n',
        Usage(2112, 1, 2000),
        "",
        size("hm", SAID, "look", '{"model":1}'),
        endpoint="messages",
        tools=1,
        failure=("upstream_error", "Overloaded"),
    ),
    "responses": Stream(
        RESPONSES,
        Usage(37, 11, 16),
        "tool_calls",
        size(SAID, "{}"),
        endpoint="responses",
        tools=1,
    ),
    "responses, done after it": Stream(
        RESPONSES + "data: [DONE]\n\n",
        Usage(37, 11, 16),
        "tool_calls",
        size(SAID, "{}"),
        endpoint="responses",
        tools=1,
    ),
    "responses, incomplete": Stream(
        RESPONSES.replace("response.completed", "response.incomplete").replace(
            '"status":"completed","error":null',
            '"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"}',
        ),
        Usage(37, 11, 16),
        "max_output_tokens",
        size(SAID, "{}"),
        endpoint="responses",
        tools=1,
    ),
    "responses, failed": Stream(
        RESPONSES[: RESPONSES.index("event: response.completed")]
        + 'event: response.failed\ndata: {"type":"response.failed","sequence_number":7,"response":{'
        '"id":"resp_theirs","status":"failed","model":"«model»","error":{"code":"server_error",'
        '"message":"the GPU is gone"},"usage":{"input_tokens":37,"output_tokens":3}}}\n\n',
        Usage(37, 3, None),
        "",
        size(SAID, "{}"),
        endpoint="responses",
        tools=1,
        failure=("upstream_error", "the GPU is gone"),
    ),
}
LONG_LINE = Stream(OPENAI.replace(SAID, BIG), Usage(19, 10, 8), "stop", size(BIG))
