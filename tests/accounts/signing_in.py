"""How tests sign in with a password, and tell whether somebody is."""

from tests.factories import PASSWORD


def sign_in(client, user, password=PASSWORD):
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def is_signed_in(client):
    return client.get("/account/").status_code == 200
