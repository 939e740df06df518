"""Both embedded servers of a data folder, under a supervisor."""

import asyncio
import os
import signal
from pathlib import Path

import psycopg
import redis

from pilotdash import kept
from pilotdash.embedded.place import settle
from pilotdash.embedded.postgres import Postgres
from pilotdash.embedded.valkey import Valkey
from pilotdash.supervisor import Supervisor


class Servers:
    """Both servers of a data folder, under a supervisor."""

    def __init__(self, data: Path, **how) -> None:
        kept.make_data_folder(data)
        self.data = data
        self.said = []
        place = settle(data, say=self.said.append, **how)
        self.postgres = Postgres(place, password="p@ss/word", settings={"fsync": "off"})
        self.valkey = Valkey(place, password="valkey-password")

    async def __aenter__(self):
        self.lock = kept.hold(self.data)
        self.supervisor = Supervisor(self.data, lock=self.lock, say=self.said.append)
        self.postgres.prepare()
        self.valkey.prepare()
        await self.supervisor.start(self.postgres.part(), self.valkey.part())
        return self

    async def __aexit__(self, *_):
        await self.supervisor.stop()
        self.postgres.clean_up()
        self.lock.close()

    def sql(self, query):
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else None

    def redis(self):
        return redis.Redis.from_url(self.valkey.url(), decode_responses=True)

    async def kill(self, name: str):
        """Kill a server and wait until it is up again."""
        process = self.supervisor.processes[name]
        restarts = self.supervisor.statuses[name].restarts
        os.kill(process.pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            while self.supervisor.statuses[name].restarts == restarts:
                await asyncio.sleep(0.01)
            while self.supervisor.statuses[name].state != "running":
                await asyncio.sleep(0.01)
