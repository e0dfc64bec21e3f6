"""The routes of the API, asked by a client without a server."""

import time

from flask.testing import FlaskClient


def test_time_is_the_current_time_in_seconds_since_the_epoch(
    client: FlaskClient,
) -> None:
    before = time.time()
    response = client.get("/time")
    assert response.status_code == 200
    assert response.json.keys() == {"time"}
    assert before <= response.json["time"] <= time.time()


def test_a_route_that_does_not_exist_is_an_error_in_json(client: FlaskClient) -> None:
    response = client.get("/tiem")
    assert response.status_code == 404
    assert response.content_type == "application/problem+json"
    assert response.json["detail"]
