"""Who may open which URL, by its name, or by its route where it has none. One row for every URL:
test_access.py fails where one is missing, and where the pages let somebody else in.
"""

from apps.accounts.access import ADMINS, AGGREGATES, DEVELOPERS, EVERYONE_SIGNED_IN, LEADS

ANYONE = EVERYONE_SIGNED_IN | {"anonymous"}
NOBODY = frozenset()

EXPECTED = {
    # pilotdash: checks for itself, loopback or a token
    "readyz": ANYONE,
    # accounts
    "join": ANYONE,
    "break_glass_sign_in": ANYONE,
    "openid_connect_login": ANYONE,
    "account": EVERYONE_SIGNED_IN,
    "rename_yourself": EVERYONE_SIGNED_IN,
    "sign_out_everywhere": EVERYONE_SIGNED_IN,
    "setup_people": ADMINS,
    "setup_person": ADMINS,
    "setup_audit": ADMINS,
    "invite_people": ADMINS,
    "revoke_invitation": ADMINS,
    "change_role": ADMINS,
    "change_access": ADMINS,
    "delete_person": ADMINS,
    # dashboard
    "home": EVERYONE_SIGNED_IN,
    "overview": AGGREGATES,
    "overview_charts": AGGREGATES,
    "leaderboard_csv": AGGREGATES,
    "candidates": AGGREGATES,
    "candidate": AGGREGATES,
    "people": LEADS,
    # usage
    "connect": DEVELOPERS,
    "calls": DEVELOPERS,
    "call": DEVELOPERS,
    # feedback: the first checks a developer key
    "feedback": ANYONE,
    "rate": DEVELOPERS,
    "rate_call": DEVELOPERS,
    "give_rating": DEVELOPERS,
    "withdraw_rating": DEVELOPERS,
    # allauth: signing in and out
    "account_login": ANYONE,
    "account_logout": ANYONE,
    "account_inactive": ANYONE,
    "account_reset_password": ANYONE,
    "account_reset_password_done": ANYONE,
    "account_reset_password_from_key": ANYONE,
    "account_reset_password_from_key_done": ANYONE,
    "mfa_authenticate": ANYONE,
    "openid_connect_callback": ANYONE,
    "socialaccount_login_cancelled": ANYONE,
    "socialaccount_login_error": ANYONE,
    # allauth: one's own account
    "account_change_password": EVERYONE_SIGNED_IN,
    "account_reauthenticate": EVERYONE_SIGNED_IN,
    "mfa_reauthenticate": EVERYONE_SIGNED_IN,
    "mfa_index": EVERYONE_SIGNED_IN,
    "mfa_activate_totp": EVERYONE_SIGNED_IN,
    "mfa_deactivate_totp": EVERYONE_SIGNED_IN,
    "mfa_view_recovery_codes": EVERYONE_SIGNED_IN,
    "mfa_generate_recovery_codes": EVERYONE_SIGNED_IN,
    "mfa_download_recovery_codes": EVERYONE_SIGNED_IN,
    # allauth: what we do without; accounts are made by invitation
    "account_signup": NOBODY,
    "account_email": NOBODY,
    "account_email_verification_sent": NOBODY,
    "account_confirm_email": NOBODY,
    "account_set_password": NOBODY,
    "account_confirm_login_code": NOBODY,
    "socialaccount_signup": NOBODY,
    "socialaccount_connections": NOBODY,
    "accounts/social/login/cancelled/": NOBODY,
    "accounts/social/login/error/": NOBODY,
    "accounts/social/signup/": NOBODY,
    "accounts/social/connections/": NOBODY,
}
