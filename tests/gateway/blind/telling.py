"""Answers full of what tells who gave them. Every such word holds one of TELLING."""

import re
from dataclasses import replace

from tests.gateway.serving import serve
from tests.gateway.stand_ins import rotate

TELLING = re.compile(
    rb"theirs|acme|secret|fp_|x_groq|native|\"provider|obfuscation|engine|logprob"
    # Short ones only where a word begins: our own ids are random letters.
    rb"|(?<![A-Za-z0-9])(?:cost|tier|eos|fake|ping)"
    # What stands in every response, and is the same in each, tells nothing.
    rb"|(?<!\"input_tokens_details\":\{\")cached|cached(?!_tokens\":0\})"
    rb"|cache_|signature\":\"[^\"]|citations|owned_by|cand-11|OPENROUTER",
    re.IGNORECASE,
)
EXTRAS = (
    '"system_fingerprint":"fp_acme","provider":"acme","x_groq":{"id":"acme"},"owned_by":"acme",'
    '"native_finish_reason":"eos","service_tier":"acme","cost":0.1,"engine":{"acme":1},'
    '"warnings":["acme"],"prompt_logprobs":null,"kv_transfer_params":null,"seed":7,"obfuscation":'
    '"acme"'
)
USAGE = (
    '"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"cost":0.1,'
    '"prompt_tokens_details":{"cached_tokens":4},"queue_time":0.1,"engine":"acme"}'
)
TOOL_CALL = (
    '{"id":"acme-tool-1","type":"function","acme":1,"function":{"name":"look","arguments":"{}",'
    '"acme":1}}'
)


def told(text: str) -> str:
    parts = {"EXTRAS": EXTRAS, "USAGE": USAGE, "TOOL_CALL": TOOL_CALL}
    return re.sub("EXTRAS|USAGE|TOOL_CALL", lambda part: parts[part[0]], text)


CHAT = told(
    '{"id":"acme-1","object":"acme","created":1,"model":"theirs",EXTRAS,"choices":[{"index":0,'
    '"logprobs":{"content":[{"token":"acme"}]},"native_finish_reason":"eos","stop_reason":2,'
    '"content_filter_results":{"acme":1},"finish_reason":"eos_token","message":{"role":"assistant",'
    '"content":"Hi","reasoning":"hm","reasoning_details":[{"type":"acme"}],"annotations":[],'
    '"audio":null,"refusal":null,"provider_specific_fields":{"acme":1},"tool_calls":[TOOL_CALL]}}],USAGE}'
)
TEXT = told(
    '{"id":"acme-1","object":"text_completion","created":1,"model":"theirs",EXTRAS,"choices":[{"index":'
    '0,"text":"Hi","logprobs":{"tokens":["acme"]},"finish_reason":"length","prompt_logprobs":null,'
    '"stop_reason":"acme","token_ids":[1]}],USAGE}'
)
VECTORS = told(
    '{"id":"embd-acme","object":"list","created":1,"model":"theirs",EXTRAS,"data":[{"object":'
    '"embedding","index":0,"embedding":[0.5,-1],"acme":1}],USAGE}'
)
RANKS = told(
    '{"id":"acme","model":"theirs",EXTRAS,"results":[{"index":1,"relevance_score":0.9,"acme":1,'
    '"document":{"text":"b","acme":1}}],"meta":{"api_version":{"version":"acme"},"billed_units":{'
    '"search_units":1}},"usage":{"total_tokens":5,"cost":1}}'
)
MESSAGE = told(
    '{"id":"msg_acme","type":"message","role":"assistant","model":"theirs",EXTRAS,"content":[{"type":'
    '"redacted_thinking","data":"acme"},{"type":"thinking","thinking":"hm","signature":"acme"},'
    '{"type":"text","text":"Hi","citations":[{"acme":1}]},{"type":"server_tool_use","id":"acme",'
    '"name":"acme","input":{}},{"type":"tool_use","id":"toolu_acme","name":"look","input":{"a":1},'
    '"caller":{"type":"acme"}}],"stop_reason":"tool_use","stop_sequence":null,"container":{"id":'
    '"acme"},"context_management":{"acme":1},"usage":{"input_tokens":5,"cache_read_input_tokens":4,'
    '"cache_creation":{"acme":1},"output_tokens":3,"service_tier":"acme","server_tool_use":null,'
    '"inference_geo":"acme"}}'
)
RESPONSE = told(
    '{"id":"resp_acme","object":"response","created_at":1,"status":"incomplete","error":null,'
    '"incomplete_details":{"reason":"acme"},"model":"theirs",EXTRAS,"prompt_cache_key":"acme",'
    '"safety_identifier":"acme","billing":{"payer":"acme"},"output":[{"type":"reasoning","id":'
    '"rs_acme","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"acme"},'
    '{"type":"web_search_call","id":"ws_acme","status":"completed"},{"type":"message","id":'
    '"msg_acme","role":"assistant","status":"completed","phase":"acme","content":[{"type":'
    '"output_text","text":"Hi","annotations":[{"acme":1}],"logprobs":[{"token":"acme"}]},{"type":'
    '"acme"}]},{"type":"function_call","id":"fc_acme","status":"completed","call_id":"call_acme",'
    '"name":"look","arguments":"{}","acme":1}],"usage":{"input_tokens":9,"output_tokens":3,'
    '"input_tokens_details":{"cached_tokens":4},"total_tokens":12,"cost":1}}'
)
COUNT = '{"input_tokens":2095,"acme":1,"cost":1}'


def told_of(reply) -> set[str]:
    """The names of an answer's headers, but for what is ours.

    That is what is left of the developer's own limits, and the call's id by another name.
    """
    told = {name for name in reply.headers if not name.startswith("x-ratelimit-")}
    if reply.headers.get("request-id") == reply.headers["x-request-id"]:
        told.remove("request-id")
    return told


def hide(rig, *endpoints, **more) -> None:
    """Let the alias pilot-chat be a blind one."""
    serve(rig, *endpoints, **more)
    table = rig.service.routes.table
    pilot = rotate(table.pilots[1], "pilot-chat", 11)
    rig.service.routes.table = replace(table, pilots=table.pilots | {1: pilot})
