"""What a reader may see of a pilot's calls, and how calls are named to them.

Leads see all calls; who made them, and the minute, only where the pilot names people. Developers
see their own. An id of ours carries its call's exact millisecond, so where leads may see the hour
alone every address, link and cursor names a call by its id enciphered.
"""

from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from apps.accounts.access import signed_in
from apps.core.uuid7 import is_uuid7
from apps.pilots.models import Pilot
from apps.usage.models import Call


class Sight:
    """What the reader of a request may see of a pilot's calls."""

    def __init__(self, request: HttpRequest, pilot: Pilot) -> None:
        user = signed_in(request)
        self.is_lead = user.is_lead
        self.sees_names = self.is_lead and pilot.people_named
        self.hour_only = self.is_lead and not pilot.people_named
        self.own_person_id = user.person_id
        self.only_person_id = None if self.is_lead else user.person_id
        self.zone = pilot.zone_info
        self._pilot_id = pilot.id

    def may_see(self, call: Call) -> bool:
        return self.only_person_id in (None, call.person_id)

    def is_own(self, call: Call) -> bool:
        return self.own_person_id == call.person_id

    def reference(self, call_id: UUID) -> UUID:
        """Return the name by which this reader's pages link to a call."""
        return enciphered(call_id, pilot_id=self._pilot_id) if self.hour_only else call_id

    def call_id(self, reference: UUID) -> UUID | None:
        """Return the id that such a name stands for, or None if it stands for none."""
        plain = deciphered(reference, pilot_id=self._pilot_id) if self.hour_only else reference
        return plain if is_uuid7(plain) else None


def enciphered(call_id: UUID, *, pilot_id: int) -> UUID:
    """Return an id as a reference that tells nothing: the same each time, so that links last."""
    encryptor = _cipher(pilot_id).encryptor()
    return UUID(bytes=encryptor.update(call_id.bytes) + encryptor.finalize())


def deciphered(reference: UUID, *, pilot_id: int) -> UUID:
    decryptor = _cipher(pilot_id).decryptor()
    return UUID(bytes=decryptor.update(reference.bytes) + decryptor.finalize())


def _cipher(pilot_id: int) -> "Cipher[ECB]":
    # An id is one block of AES and no two are alike: nothing is left for a mode to hide.
    key = salted_hmac("apps.usage.sight", str(pilot_id), algorithm="sha256").digest()
    return Cipher(AES(key), ECB())
