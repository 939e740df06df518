"""Texts to paste: how programs are pointed at the pilot. The key stays apart, in the shell."""

from collections.abc import Mapping
from typing import Final

KEY_VARIABLE: Final = "PILOTDASH_API_KEY"
UNIX: Final = "macOS and Linux"
POWERSHELL: Final = "Windows PowerShell"


def exports(variables: Mapping[str, str]) -> str:
    """Return lines for a Unix shell. Values hold neither quotes, dollars nor backslashes."""
    return "\n".join(f'export {name}="{value}"' for name, value in variables.items())


def assignments(variables: Mapping[str, str]) -> str:
    """Return lines for PowerShell."""
    return "\n".join(f'$env:{name} = "{value}"' for name, value in variables.items())


def python_snippet(base_url: str, alias: str) -> str:
    return f'''import os

from openai import OpenAI

client = OpenAI(base_url="{base_url}", api_key=os.environ["{KEY_VARIABLE}"])
stream = client.chat.completions.create(
    model="{alias}",
    messages=[{{"role": "user", "content": "Write a haiku about code review."}}],
    stream=True,
)
for event in stream:
    if event.choices:
        print(event.choices[0].delta.content or "", end="")
'''


def javascript_snippet(base_url: str, alias: str) -> str:
    return f"""import OpenAI from "openai";

const client = new OpenAI({{
  baseURL: "{base_url}",
  apiKey: process.env.{KEY_VARIABLE},
}});
const answer = await client.chat.completions.create({{
  model: "{alias}",
  messages: [{{ role: "user", content: "Write a haiku about code review." }}],
}});
console.log(answer.choices[0].message.content);
"""


def curl_snippet(base_url: str, alias: str) -> str:
    return f"""curl -N {base_url}/chat/completions \\
  -H "Authorization: Bearer ${KEY_VARIABLE}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{alias}", "stream": true,
       "messages": [{{"role": "user", "content": "Say hello."}}]}}'
"""


def powershell_snippet(base_url: str, alias: str) -> str:
    return f"""$body = @{{ model = "{alias}"
  messages = @(@{{ role = "user"; content = "Say hello." }}) }} | ConvertTo-Json -Depth 4
Invoke-RestMethod {base_url}/chat/completions -Method Post -Body $body `
  -ContentType "application/json" -Headers @{{ Authorization = "Bearer $env:{KEY_VARIABLE}" }}
"""


def python_embeddings(base_url: str, alias: str) -> str:
    return f'''import os

from openai import OpenAI

client = OpenAI(base_url="{base_url}", api_key=os.environ["{KEY_VARIABLE}"])
answer = client.embeddings.create(model="{alias}", input=["def add(a, b): return a + b"])
print(len(answer.data[0].embedding))
'''


def curl_embeddings(base_url: str, alias: str) -> str:
    return _curl(base_url, "embeddings", f'{{"model": "{alias}", "input": ["def add(a, b)"]}}')


def curl_rerank(base_url: str, alias: str) -> str:
    question = '"query": "sort a list", "documents": ["def add(a, b)", "rows.sort()"]'
    return _curl(base_url, "rerank", f'{{"model": "{alias}", {question}}}')


def _curl(base_url: str, endpoint: str, body: str) -> str:
    return f"""curl {base_url}/{endpoint} \\
  -H "Authorization: Bearer ${KEY_VARIABLE}" \\
  -H "Content-Type: application/json" \\
  -d '{body}'
"""
