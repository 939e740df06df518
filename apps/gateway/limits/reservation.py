"""What one call holds of its limits."""

from __future__ import annotations

from apps.gateway.asgi import Headers
from apps.gateway.limits.commands import Epoch
from apps.gateway.limits.cost import Need
from apps.gateway.limits.plan import Plan


class Reservation:
    """`epoch` is None where this process alone knows of it; `headers` are for its answer."""

    __slots__ = ("epoch", "headers", "need", "plan")

    def __init__(self, plan: Plan, need: Need, epoch: Epoch | None) -> None:
        self.plan = plan
        self.need = need
        self.epoch = epoch
        self.headers: Headers = []
