"""Opens the pages of calls as somebody, and reads what they list."""

import csv
from io import StringIO


def get(client, user, path, **params):
    client.force_login(user)
    return client.get(path, params)


def shown(response):
    return [each.row.call.id for each in response.context["listed"]]


def table(response):
    return list(csv.reader(StringIO(response.content.decode())))
