"""A small HTTP server in a thread, for pages that call a provider from a synchronous view."""

import asyncio
import threading

from aiohttp import web


class Served:
    """Serves handlers by (method, path) on a loopback port until stopped."""

    def __init__(self, handlers):
        self._loop = asyncio.new_event_loop()
        self._app = web.Application()
        for (method, path), handler in handlers.items():
            self._app.router.add_route(method, path, handler)
        self._runner = web.AppRunner(self._app, access_log=None)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.url = self._do(self._start())

    def stop(self):
        self._do(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self):
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        return f"http://127.0.0.1:{port}/v1"

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)
