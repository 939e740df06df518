import pytest

from apps.core.broker import connect_broker


@pytest.mark.parametrize(("more", "checked_s"), [({}, 0), ({"health_check_s": 30}, 30)])
def test_a_client_waits_as_long_as_told_and_no_longer(valkey, more, checked_s):
    with connect_broker(timeout_s=2.0, **more) as client:
        told = client.connection_pool.connection_kwargs

        assert client.ping() is True
        assert (told["socket_timeout"], told["socket_connect_timeout"]) == (2.0, 2.0)
        assert told["health_check_interval"] == checked_s
