import pytest

from apps.accounts.models import Role
from apps.accounts.single_sign_on import role_claimed


@pytest.mark.parametrize(
    ("claims", "path", "role"),
    [
        ({"role": "admin"}, "", None),
        ({"role": "admin"}, "role", Role.ADMIN),
        ({"role": "PilotDash-Lead"}, "role", Role.LEAD),
        ({"groups": ["staff", "viewer"]}, "groups", Role.VIEWER),
        # The highest of several.
        ({"groups": ["pilotdash-developer", "pilotdash-lead"]}, "groups", Role.LEAD),
        ({"groups": ["viewer", "developer"]}, "groups", Role.DEVELOPER),
        ({"realm_access": {"roles": ["pilotdash-admin"]}}, "realm_access.roles", Role.ADMIN),
        # What names no role is a developer, also where somebody was more before.
        ({}, "groups", Role.DEVELOPER),
        ({"groups": []}, "groups", Role.DEVELOPER),
        ({"groups": "administrators"}, "groups", Role.DEVELOPER),
        ({"groups": "x"}, "groups.roles", Role.DEVELOPER),
        ({"groups": [{"name": "admin"}]}, "groups", Role.DEVELOPER),
    ],
)
def test_a_claim_names_a_role(claims, path, role):
    assert role_claimed(claims, path) == role
