from pilotdash import kept


def test_secrets_are_made_once_and_for_their_owner_only(folder):
    first = kept.kept_secrets(folder)
    again = kept.kept_secrets(folder)

    assert again == first
    assert len(set(first.values())) == 5
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
