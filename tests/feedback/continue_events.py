"""Events as Continue sends them, with code in every field that can hold any."""

import json

URL = "/ingest/continue"
CODE = 'def geheim_4711(): return "s3cr3t"  # CODE-MARKER'
MARKS = ("geheim_4711", "CODE-MARKER", "s3cr3t", "secret-repo", "hidden_path")
PATH = "file:///home/ana/secret-repo/hidden_path/Parser.py"
REPO = "git@example.com:acme/secret-repo.git"
AT = "2026-11-18T12:05:00.000Z"
BASE = {
    "timestamp": AT,
    "userId": "",
    "userAgent": "Visual Studio Code/1.105 (Continue/1.3)",
    "selectedProfileId": "local",
}
MODEL = {"modelProvider": "openai", "modelName": "Candidate · chat · chat"}
TITLED = MODEL | {"modelTitle": "Candidate · chat · chat"}

DATA = {
    "autocomplete": {
        "disable": False,
        "maxPromptTokens": 1024,
        "debounceDelay": 350,
        "maxSuffixPercentage": 0.2,
        "prefixPercentage": 0.3,
        "template": CODE,
        "multilineCompletions": "auto",
        "slidingWindowPrefixPercentage": 0.75,
        "slidingWindowSize": 500,
        "useCache": True,
        "onlyMyCode": True,
        "useRecentlyEdited": True,
        "accepted": True,
        "time": 321.5,
        "prefix": CODE,
        "suffix": CODE,
        "prompt": CODE,
        "completion": CODE,
        "modelProvider": "mistral",
        "modelName": "chat",
        "cacheHit": False,
        "filepath": PATH,
        "gitRepo": REPO,
        "completionId": "3f1c1c8e-6f0a-4a53-9a3c-6f2f3a1a0b01",
        "uniqueId": "machine-1",
    },
    "chatFeedback": TITLED
    | {
        "prompt": CODE,
        "completion": CODE,
        "feedback": True,
        "sessionId": "5b0f7a52-6a4e-4a0e-9d4b-0d6f3b6e2c11",
    },
    "chatInteraction": TITLED
    | {
        "prompt": CODE,
        "completion": CODE,
        "sessionId": "5b0f7a52-6a4e-4a0e-9d4b-0d6f3b6e2c11",
        "tools": ["read_file"],
        "rules": [{"id": CODE, "rule": CODE}],
    },
    "editInteraction": TITLED | {"prompt": CODE, "completion": CODE, "filepath": PATH},
    "editOutcome": TITLED
    | {
        "prompt": CODE,
        "completion": CODE,
        "accepted": True,
        "previousCode": CODE,
        "newCode": CODE,
        "previousCodeLines": 3,
        "newCodeLines": 5,
        "lineChange": 2,
        "filepath": PATH,
    },
    "nextEditOutcome": {
        "timestamp": 1_795_003_500_000,
        "elapsed": 12,
        "completionOptions": {"stop": [CODE]},
        "completionId": "3f1c1c8e-6f0a-4a53-9a3c-6f2f3a1a0b02",
        "gitRepo": REPO,
        "uniqueId": "machine-1",
        "fileUri": PATH,
        "workspaceDirUri": PATH,
        "prompt": CODE,
        "userEdits": CODE,
        "userExcerpts": CODE,
        "originalEditableRange": CODE,
        "completion": CODE,
        "cursorPosition": {"line": 1, "character": 2},
        "accepted": False,
        "aborted": False,
        "modelProvider": "mistral",
        "modelName": "chat",
    },
    "tokensGenerated": {
        "model": "chat",
        "provider": "openai",
        "promptTokens": 1_000,
        "generatedTokens": 100,
    },
    "toolUsage": {
        "toolCallId": "call_1",
        "functionName": "builtin_read_file",
        "functionParams": {"path": CODE},
        "toolCallArgs": CODE,
        "accepted": True,
        "succeeded": False,
        "output": [{"content": CODE, "name": CODE}],
    },
}


def event(name, *, schema="0.2.0", level="all", **data):
    """Return an event's body. A field given as None is left out."""
    fields = BASE | {"eventName": name, "schema": schema} | DATA.get(name, {}) | data
    fields = {field: value for field, value in fields.items() if value is not None}
    return {"name": name, "data": fields, "schema": schema, "level": level, "profileId": "local"}


def sent(client, plain_key, body, **headers):
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    headers = headers or {"Authorization": f"Bearer {plain_key}"}
    return client.post(URL, raw, content_type="application/json", headers=headers)
