"""nginx, LiteLLM's proxy and Portkey's gateway: installed in folders of their own, and run.

Versions are pinned. Nothing of theirs is a dependency of ours; they are removed with `.bench/`.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from bench.load import HOST
from bench.proxy import NotRun, Proxy, Start, free_port

FOLDER = Path(__file__).parent.parent / ".bench"
# Two releases of March 2026 carried a credential stealer; this one is long after them.
LITELLM = "1.106.2"
PORTKEY = "1.15.2"
# Portkey's own range admits later ones, with which every streamed answer is HTTP 500 "immutable"
# (Portkey-AI/gateway issue 1389).
NODE_SERVER = "1.14.1"

NGINX_CONFIG = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_max_body_size 16m;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream provider {{ server {host}:{upstream}; keepalive 512; keepalive_requests 1000000; }}
  server {{
    listen {host}:{port} backlog=2048; keepalive_requests 1000000;
    location / {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering off;
    }}
  }}
}}
"""

# After "Best practices for production" of its documentation; without a database it has one key.
LITELLM_CONFIG = """
model_list:
  - model_name: bench
    litellm_params: {{model: openai/bench-upstream, api_key: sk-bench, api_base: "{base_url}"}}
general_settings: {{master_key: sk-bench}}
litellm_settings: {{request_timeout: 600, set_verbose: false, json_logs: true, telemetry: false}}
"""


def nginx(start: Start, upstream: int, folder: Path) -> Proxy:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if not program:
        raise NotRun("nginx is not installed")
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, host=HOST, port=port, upstream=upstream))
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr
    return Proxy(
        title="nginx",
        version=told.strip().rpartition("/")[2],
        ran_with="one worker, buffering off, no log; it only passes bytes on",
        port=port,
        pid=start([program, "-c", str(config)], port, {}),
        speed="fast",
    )


def litellm(start: Start, upstream: int, folder: Path) -> Proxy:
    environment = FOLDER / f"litellm-{LITELLM}"
    python = str(environment / "bin" / "python")
    if not _is_installed(environment):
        print(f"installing LiteLLM {LITELLM}", flush=True)
        _run([sys.executable, "-m", "venv", str(environment)], "a virtual environment")
        quiet = ["-qq", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
        wanted = f"litellm[proxy]=={LITELLM}"
        _run([python, "-m", "pip", "install", *quiet, wanted], "pip")
        _note_installed(environment)
    port = free_port()
    config = folder / "litellm.yaml"
    config.write_text(LITELLM_CONFIG.format(base_url=f"http://{HOST}:{upstream}/v1"))
    settings = {
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        # By itself it fetches prices at each start.
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
    options = ["--host", HOST, "--port", str(port), "--num_workers", "1"]
    program = [python, str(environment / "bin" / "litellm"), "--config", str(config)]
    return Proxy(
        title="LiteLLM",
        version=LITELLM,
        ran_with=(
            "one worker, its documentation's settings for production, log level ERROR, master key, "
            "no database, so that it keeps no usage and knows no limits"
        ),
        port=port,
        pid=start([*program, *options], port, settings),
        keys=["sk-bench"],
        speed="slow",
    )


def portkey(start: Start, upstream: int, folder: Path) -> Proxy:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise NotRun("node and npm are not installed")
    place = FOLDER / f"portkey-{PORTKEY}"
    if not _is_installed(place):
        package = {
            "private": True,
            "dependencies": {"@portkey-ai/gateway": PORTKEY},
            "overrides": {"@hono/node-server": NODE_SERVER},
        }
        print(f"installing Portkey {PORTKEY}", flush=True)
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text(json.dumps(package))
        careful = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
        _run([npm, "install", "--prefix", str(place), "--loglevel=error", *careful], "npm")
        _note_installed(place)
    port = free_port()
    program = place / "node_modules/@portkey-ai/gateway/build/start-server.js"
    command = [node, str(program), f"--port={port}", "--headless"]
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return Proxy(
        title="Portkey",
        version=f"{PORTKEY} (Node.js {told.strip().lstrip('v')})",
        ran_with=(
            "one process, --headless, NODE_ENV=production, provider and host by its headers; "
            f"@hono/node-server held at {NODE_SERVER}, because with later ones that it admits "
            "every stream fails; it has no keys, no usage and no limits"
        ),
        port=port,
        pid=start(command, port, {"NODE_ENV": "production"}),
        headers={
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"http://{HOST}:{upstream}/v1",
        },
    )


def _is_installed(folder: Path) -> bool:
    return (folder / "installed").exists()


def _note_installed(folder: Path) -> None:
    (folder / "installed").touch()


def _run(command: list[str], name: str) -> None:
    """Raises NotRun. Its output is for the console only: it may tell of this machine."""
    try:
        code = subprocess.run(command, check=False, timeout=600).returncode
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise NotRun(f"{name} failed: {type(problem).__name__}") from None
    if code:
        raise NotRun(f"{name} failed with exit code {code}")
