"""A provider whose answers tests replace, and how the test of a connection is read."""

import json

from aiohttp import web
from django.conf import settings as django_settings

from apps.core.secrets import seal
from apps.gateway.contract import ProviderRoute

SECRET = "sk-live-0123456789abcdef"
USAGE = {"prompt_tokens": 12, "completion_tokens": 1}


class Fake:
    """A provider whose every answer can be replaced."""

    def __init__(self):
        self.asked = []
        self.models = web.json_response({"data": [{"id": "bge-embed"}, {"id": "coder"}]})
        self.events = [
            {"choices": [{"delta": {"content": "ready"}}]},
            {"choices": [], "usage": USAGE},
        ]
        self.chat = None
        self.key = SECRET
        self.list_models_instead = None

    def app(self):
        app = web.Application()
        app.router.add_get("/v1/models", self.list_models)
        app.router.add_post("/v1/chat/completions", self.answer)
        return app

    def is_refused(self, request):
        return self.key is not None and request.headers.get("Authorization") != f"Bearer {self.key}"

    async def list_models(self, request):
        if self.list_models_instead is not None:
            return await self.list_models_instead(request)
        if self.is_refused(request):
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return web.json_response({"error": {"message": f"Bad key {given}"}}, status=401)
        return self.models

    async def answer(self, request):
        self.asked.append(await request.json())
        if self.chat is not None:
            return self.chat(self.asked[-1])
        if self.is_refused(request):
            return web.json_response({"error": "no"}, status=401)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in self.events:
            await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")
        await response.write(b"data: [DONE]\n\n")
        return response


def route(url, credential=SECRET, **fields):
    sealed = seal(credential, django_settings.ENCRYPTION_KEYS) if credential else ""
    return ProviderRoute(id=1, slug="p", base_url=url, credential=sealed, **fields)


def states(report):
    return [step.state for step in report.steps]
